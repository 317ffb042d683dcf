/** The program with 3CX and VoIP.ms and every log on: what it says, writes and logs holds none of their secrets, also where they repeat them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { TOOLS } from '../../src/mcp/catalogue.ts';
import { startTranscriptionSimulator } from '../../src/simulator/openai/transcriptions.ts';
import { startThreeCxSimulator } from '../../src/simulator/threecx/pbx.ts';
import { startVoipMsSimulator } from '../../src/simulator/voipms/account.ts';
import { processes, type ServerProcess } from '../journeys/process.ts';
import { placesOf, type StartedServer } from './secrets/places.ts';
import { findings } from './secrets/scan.ts';

const PASSWORD = 'vms-"Qm7\\x%aN+2/vKd=0wLr';
const CLIENT_SECRET = 'pbx-"Tz4\\y%bP+9/uHe=1xMs';
const USERNAME = 'owner@example.com';

const here = processes();
afterEach(() => here.cleanUp());

/** A service that refuses whoever comes, in several ways, and repeats all that it was given in every answer. */
async function startParrot() {
  let asked = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const status = [401, 400, 403, 500, 200][asked % 5] ?? 500;
      asked += 1;
      const said = `${request.url} ${JSON.stringify(request.headers)} ${body}`;
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-said': encodeURIComponent(said).slice(0, 900),
      });
      const error = { code: said, message: said };
      response.end(JSON.stringify({ status: said, error, error_description: said, reasontext: said, message: said }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Every tool that needs nothing to be given, and those whose arguments could carry something out again. */
async function useAll(server: ServerProcess): Promise<readonly string[]> {
  const given: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    threecx_make_call: { to: '101' },
    threecx_answer_call: {},
    threecx_drop_call: {},
    threecx_hold_call: { action: 'hold' },
    threecx_transfer_call: { mode: 'blind', to: '101' },
    threecx_send_message: { to: '+14155550123', text: 'Hello.' },
    threecx_get_presence: { extensions: ['100', '101'], activeCalls: true },
    threecx_record_call: { action: 'list' },
    voipms_inspect_number: { number: '4155550199' },
    voipms_add_number_to_phonebook_group: { number: '4155550140', group: 'Family', dry_run: false },
    voipms_remove_number_from_phonebook_group: { number: '4155550140', group: 'Family', dry_run: false },
    voipms_mark_number_as_spam: { number: '4155550199', block: true, dry_run: false },
    voipms_unmark_number_as_spam: { number: '4155550199', unblock: true, dry_run: false },
    voipms_get_call_recording: { account: '100000_front', recording: 'cmVjb3JkaW5nLTE9MQ==' },
    voipms_get_call_transcript: { account: '100000_front', recording: 'cmVjb3JkaW5nLTE9MQ==' },
    voipms_send_call_recording_email: {
      account: '100000_front',
      recording: 'cmVjb3JkaW5nLTE9MQ==',
      email: 'owner@example.com',
      dry_run: false,
    },
  };
  const failed: string[] = [];
  for (const { name, toolset } of TOOLS.filter((tool) => tool.toolset === '3cx' || tool.toolset === 'voipms')) {
    const { isError } = await server.tool(name, given[name] ?? {});
    if (isError) failed.push(`${toolset} ${name}`);
  }
  for (const list of ['active-calls', 'call-history', 'extensions', 'messages'])
    await server.readResource(`threecx://${list}`).catch(() => failed.push(`3cx ${list}`));
  return failed;
}

it('no secret of 3CX or VoIP.ms gets where it does not belong, whatever they answer', { timeout: 90_000 }, async () => {
  const pbx = await startThreeCxSimulator();
  const account = await startVoipMsSimulator({ username: USERNAME, password: PASSWORD });
  const transcriptions = await startTranscriptionSimulator();
  for (const one of [pbx, account, transcriptions]) here.later({ close: () => one.stop() });
  const parrot = here.later(await startParrot());
  const start = async (more: Record<string, string>): Promise<StartedServer> => {
    const dataDir = here.folder();
    const env = {
      ...pbx.env,
      ...account.env,
      VOIPMS_SMS_NUMBER: '+14155550100',
      VOIPMS_EMAIL_RECIPIENTS: '@example.com',
      OPENAI_API_URL: transcriptions.url,
      OPENAI_API_KEY: 'sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t',
      TOOLSETS: '3cx,voipms',
      PORT: '0',
      LOG_LEVEL: 'trace',
      DATA_DIR: dataDir,
      ...more,
    };
    return { server: await here.start({ env }), dataDir };
  };

  const well = await start({});
  const refused = await useAll(well.server);
  // What has no call to act on says so; everything else works.
  expect(refused.filter((name) => !/answer_call|drop_call|hold_call|transfer_call/.test(name))).toEqual([]);
  const bad = await start({
    PBX_FQDN: parrot.url,
    PBX_CLIENT_SECRET: CLIENT_SECRET,
    VOIPMS_API_URL: parrot.url,
    OPENAI_API_URL: parrot.url,
  });
  expect((await useAll(bad.server)).length).toBeGreaterThan(20);
  const places = [...placesOf(well), ...placesOf(bad)];

  // The scan looks at what it should: what belongs there is found there.
  expect(findings(places, { name: 'threecx_get_extensions' }).join()).toContain('stdout');
  const secrets = {
    'password of VoIP.ms': PASSWORD,
    'secret of a 3CX that is there': pbx.clientSecret,
    'secret of a 3CX that repeats it': CLIENT_SECRET,
    'key of OpenAI': 'sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t',
  };
  expect(findings(places, secrets, [USERNAME, pbx.clientId])).toEqual([]);
  // Secrets of the office itself, which both answer with where nobody picks fields.
  const all = Buffer.concat(places.map(({ content }) => content)).toString('latin1');
  for (const word of ['AuthPassword', 'VMPIN', 'port_out_pin', 'smpp-Secret', 'sip-Secret'])
    expect(all).not.toContain(word);
  // Whole numbers stay out of the log.
  expect(well.server.log).not.toMatch(/4155550(123|199|140)/);
});
