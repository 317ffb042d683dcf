import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { openOffice } from '../journeys/office.ts';
import { processes, type ServerProcess } from '../journeys/process.ts';
import { AGREES, shortCalls } from '../journeys/short-calls.ts';
import { startEchoingModel, startEchoingRest } from './secrets/echoing-vendors.ts';
import { filesOf, text } from './secrets/places.ts';
import { findings, formsOf, PIECE_LENGTH, type Place } from './secrets/scan.ts';
import { addressesIn, startWiretap, withoutCredentials } from './secrets/wiretap.ts';

const API_KEY_SID = `SK${'0123456789abcdef'.repeat(2)}`;
/** With characters that JSON, URLs and base64 write in another way. */
const SECRETS = {
  'auth token': 'tok-"Qm7\\x%aN+2/vKd=0wLr',
  'secondary auth token': 'sec-"Tz4\\y%bP+9/uHe=1xMs',
  'API key secret': 'api-"Wj6\\z%cR+5/tGf=3yNt',
  'OpenAI key': 'sk-"Ub8\\w%dS+7/sFg=4zOu',
  'MCP token': 'mcp-"Vc1\\v%eT+8/rEh=6aPv',
};
/** As most keys look: nothing but letters, digits and dashes. */
const PLAIN_KEY = 'sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t';
/** Known to the server, the model and those who read the store: to nobody else. */
const BRIEF = { brief: 'Mention the word quetzalcoatlus-7731 when they ask for the occasion.' };

const here = processes();
afterEach(() => here.cleanUp());

/** Every token that an address of ours carried. */
function tokensIn(...wires: readonly Buffer[]): Record<string, string> {
  // That of a recording has the call's id before it.
  const paths = /call(?:\/|%2F)[a-z-]+(?:\/|%2F)(?:[0-9a-f-]{36}\.)?([A-Za-z0-9_-]{32})/g;
  const tokens = wires.flatMap((wire) => [...wire.toString('latin1').matchAll(paths)].map((match) => match[1] ?? ''));
  return Object.fromEntries([...new Set(tokens)].map((token, index) => [`token ${index}`, token]));
}

/** A server whose every wire is listened to, with the addresses to turn its vendors bad. */
async function tappedServer() {
  const world = here.later(
    await shortCalls(AGREES, {
      twilio: {
        authToken: SECRETS['auth token'],
        secondaryAuthToken: SECRETS['secondary auth token'],
        apiKey: API_KEY_SID,
        apiSecret: SECRETS['API key secret'],
      },
      realtime: { apiKey: SECRETS['OpenAI key'] },
    }),
  );
  const twilioPort = Number(new URL(world.twilio.baseUrl).port);
  const [rest, model, open] = await Promise.all([
    startWiretap(twilioPort),
    startWiretap(world.realtime.port),
    startWiretap(),
  ]);
  for (const tap of [rest, model, open]) here.later(tap);
  const dataDir = here.folder();
  const server = await here.start({
    args: ['--http'],
    env: {
      ...world.env,
      TWILIO_AUTH_TOKEN_SECONDARY: SECRETS['secondary auth token'],
      TWILIO_API_KEY: API_KEY_SID,
      TWILIO_API_SECRET: SECRETS['API key secret'],
      MCP_AUTH_TOKEN: SECRETS['MCP token'],
      TWILIO_API_BASE_URL: `http://127.0.0.1:${rest.port}`,
      OPENAI_WEBSOCKET_URL: `ws://127.0.0.1:${model.port}/v1/realtime`,
      PUBLIC_URL: `http://127.0.0.1:${open.port}`,
      PORT: '0',
      MCP_PORT: '0',
      RECORD_CALLS: 'true',
      TWILIO_RECORDING: 'true',
      LOG_LEVEL: 'trace',
      DATA_DIR: dataDir,
    },
  });
  open.leadTo(await server.listeningPort());
  return { world, twilioPort, rest, model, open, dataDir, server };
}

type Tapped = Awaited<ReturnType<typeof tappedServer>>;

/** Knocks at every door with the wrong credential, and keeps what was answered. */
async function knock({ server, open }: Tapped, tokens: readonly string[]): Promise<Place[]> {
  const privatePort = Number(/"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1]);
  const answers: Place[] = [];
  const ask = async (name: string, url: string, init: RequestInit): Promise<void> => {
    const response = await fetch(url, init);
    const head = [...response.headers].map(([header, value]) => `${header}: ${value}`).join('\n');
    answers.push(text(`the answer to ${name}`, `${response.status}\n${head}\n${await response.text()}`));
  };
  const form = { method: 'POST', body: new URLSearchParams({ CallSid: `CA${'0'.repeat(32)}`, CallStatus: 'ringing' }) };
  const signed = { ...form, headers: { 'x-twilio-signature': 'bm90IGEgc2lnbmF0dXJlIQ==' } };
  for (const token of [...tokens, 'x'.repeat(32)]) {
    for (const route of ['outgoing', 'status', 'after', 'connection-outgoing']) {
      const address = `http://127.0.0.1:${open.port}/call/${route}/${token}`;
      await ask(`an unsigned ${route}`, address, form);
      await ask(`a wrongly signed ${route}`, address, signed);
    }
  }
  await ask('a question for the health', `http://127.0.0.1:${open.port}/health?nonce=abcdefghijklmnop`, {});
  for (const path of ['metrics', 'ready', 'mcp', 'sse']) {
    const address = `http://127.0.0.1:${privatePort}/${path}`;
    await ask(`${path} without a token`, address, {});
    await ask(`${path} with a wrong token`, address, { headers: { authorization: 'Bearer not-the-right-token' } });
    const authorization = `Bearer ${SECRETS['MCP token']}`;
    if (path === 'metrics' || path === 'ready') await ask(path, address, { headers: { authorization } });
  }
  return answers;
}

async function placeAndFollow(server: ServerProcess): Promise<string> {
  const callId = await server.place({ callContext: BRIEF.brief });
  await server.follow(callId);
  return callId;
}

/** What an assistant can read of a call, beyond what it has been told anyway. All of it comes over stdout. */
async function readEverything(server: ServerProcess, callId: string): Promise<void> {
  await server.tool('get-call', { callId, detail: 'detailed' });
  await server.tool('list-calls', {});
  await server.tool('search-transcripts', { query: 'goodbye' });
  await server.tool('get-call', { callId: 'no-such-call' });
  await server.tool('trigger-call', { toNumber: '911', callContext: 'x' });
  await server.readResource('call://transcriptions');
  await server.readResource(`call://transcriptions/${callId}`);
  await server.request('resources/read', { uri: 'call://transcriptions/none' }).catch(() => undefined);
  await server.request('tools/call', { name: 'no-such-tool', arguments: {} }).catch(() => undefined);
}

describe('no secret gets where it does not belong', { timeout: 90_000 }, () => {
  it('in whole calls that go well, are refused, and fail, with every log on', async () => {
    const tapped = await tappedServer();
    const { world, twilioPort, rest, model, open, dataDir, server } = tapped;

    // The carrier refuses, and repeats the credential.
    const echoingRest = here.later(await startEchoingRest());
    rest.leadTo(echoingRest.port);
    const refused = await server.tool('trigger-call', { toNumber: '+14155550123', callContext: BRIEF.brief });
    expect(refused.isError).toBe(true);
    expect(echoingRest.refusals()).toBeGreaterThan(0);
    rest.leadTo(twilioPort);
    // The model refuses, and repeats the key.
    const echoingModel = here.later(await startEchoingModel());
    model.leadTo(echoingModel.port);
    await placeAndFollow(server);
    await placeAndFollow(server);
    expect(echoingModel.refusals()).toBeGreaterThanOrEqual(2);
    model.leadTo(world.realtime.port);
    // All is well; in the middle of it somebody knocks who has seen the addresses.
    const callId = await server.place({ callContext: BRIEF.brief });
    await until(() => Object.keys(tokensIn(addressesIn(open.toServer()))).length > 0, 10_000);
    const answers = await knock(tapped, Object.values(tokensIn(open.toServer(), open.toClient())).slice(-4));
    const { data } = await server.follow(callId);
    expect(data).toMatchObject({ outcome: 'completed' });
    await readEverything(server, callId);
    const filesDuring = filesOf(dataDir, 'while it runs');
    server.endInput();
    expect(await server.exit).toEqual({ code: 0, signal: null });

    const tokens = tokensIn(rest.toServer(), open.toServer(), open.toClient());
    const log = text('stderr', server.log);
    const stdout = text('stdout, tool results and resources', server.stdout.join('\n'));
    const files = [...filesDuring, ...filesOf(dataDir, 'at the end')];
    const heard = text('what the model was sent', JSON.stringify(world.realtime.sessions.map(({ record }) => record)));
    const wires: Place[] = [
      { name: 'requests to the carrier', content: withoutCredentials(rest.toServer()) },
      { name: 'requests to the model', content: withoutCredentials(model.toServer()) },
      { name: 'answers to the carrier', content: open.toClient() },
      { name: 'addresses at the carrier', content: addressesIn(rest.toServer()) },
      { name: 'addresses at the model', content: addressesIn(model.toServer()) },
      { name: 'our own addresses', content: addressesIn(open.toServer()) },
    ];
    const users = [API_KEY_SID, world.twilio.accountSid];
    const everywhere = [log, stdout, heard, ...files, ...wires, ...answers];

    // The scan looks at what it should: what belongs there is found there.
    const callSid = world.twilio.calls.at(-1)?.sid ?? '';
    expect(findings([log, stdout, ...filesDuring], { callId }).map(placeOf)).toEqual(
      expect.arrayContaining(['stderr', stdout.name, expect.stringMatching(/\.sqlite(-wal)? while it runs/)]),
    );
    expect(findings([stdout, heard, ...files], BRIEF).map(placeOf)).toEqual(
      expect.arrayContaining([stdout.name, heard.name, expect.stringMatching(/\.sqlite at the end/)]),
    );
    expect(findings(wires, { callSid }).map(placeOf)).toContain('addresses at the carrier');
    expect(findings(wires, tokens).map(placeOf)).toEqual(
      expect.arrayContaining(['requests to the carrier', 'answers to the carrier', 'our own addresses']),
    );
    expect(Object.keys(tokens).length).toBeGreaterThanOrEqual(6);
    expect(findings([{ name: 'the raw wire', content: rest.toServer() }], SECRETS, users)).toEqual([
      'API key secret in the raw wire',
    ]);

    // Nothing is where it should not be.
    expect(findings(everywhere, SECRETS, users)).toEqual([]);
    expect(findings([log, stdout, heard, ...files], tokens)).toEqual([]);
    expect(findings([log, ...wires, ...answers], BRIEF)).toEqual([]);
    expect(readableByOthers(dataDir)).toEqual([]);

    // A canary is found in each of these places, whatever form it has and if it is no more than a piece.
    for (const place of everywhere) {
      for (const [name, secret] of Object.entries(SECRETS)) {
        const form = formsOf(secret, users)[place.content.length % 8] ?? secret;
        const at = Math.floor((form.length - PIECE_LENGTH) / 2);
        const content = Buffer.concat([place.content, Buffer.from(`<${form.slice(at, at + PIECE_LENGTH)}>`)]);
        expect(findings([{ ...place, content }], { [name]: secret }, users)).toEqual([`${name} in ${place.name}`]);
      }
    }
  });

  it('into the log, also where nothing blots it out', async () => {
    const credentials = {
      TWILIO_AUTH_TOKEN: SECRETS['auth token'],
      TWILIO_API_KEY: API_KEY_SID,
      TWILIO_API_SECRET: SECRETS['API key secret'],
      OPENAI_API_KEY: PLAIN_KEY,
    };
    const echoingRest = here.later(await startEchoingRest());
    const echoingModel = here.later(await startEchoingModel());
    const restAddress = `http://127.0.0.1:${echoingRest.port}`;
    const refused = here.later(
      await openOffice({ scenario: 'reservation', settings: { ...credentials, TWILIO_API_BASE_URL: restAddress } }),
    );
    await expect(refused.place({ context: BRIEF.brief })).rejects.toThrow(/credentials/);
    const modelAddress = `ws://127.0.0.1:${echoingModel.port}/v1/realtime`;
    const twilio = {
      authToken: credentials.TWILIO_AUTH_TOKEN,
      apiKey: API_KEY_SID,
      apiSecret: SECRETS['API key secret'],
    };
    const deaf = here.later(
      await openOffice({
        scenario: 'reservation',
        script: AGREES,
        ringMs: 100,
        twilio,
        settings: { ...credentials, OPENAI_WEBSOCKET_URL: modelAddress },
      }),
    );
    const calls = [
      await deaf.ended(await deaf.place({ context: BRIEF.brief })),
      await deaf.ended(await deaf.place({ context: BRIEF.brief })),
    ];
    expect([echoingRest.refusals(), echoingModel.refusals()].every((count) => count > 0)).toBe(true);
    const users = [API_KEY_SID, deaf.world.twilio.accountSid];
    const log = text('the log', [...refused.log, ...deaf.log].join(''));
    expect(log.content.toString()).toContain('call ended');
    const told = text('what is told of the calls', JSON.stringify(calls));
    expect(findings([told], BRIEF)).toHaveLength(1);
    expect(findings([log, told], { PLAIN_KEY }, users)).toEqual([]);
    expect(findings([log], { ...SECRETS, ...BRIEF }, users)).toEqual([]);
  });

  it('in errors that carry one in their message, their cause or their fields', async () => {
    const canary = 'canary-5f3a9c81d2';
    const child = spawn(process.execPath, [fileURLToPath(new URL('./secrets/thrower.ts', import.meta.url))], {
      cwd: here.folder(),
      env: {
        TWILIO_ACCOUNT_SID: `AC${'f'.repeat(32)}`,
        TWILIO_AUTH_TOKEN: SECRETS['auth token'],
        TWILIO_API_KEY: API_KEY_SID,
        TWILIO_API_SECRET: SECRETS['API key secret'],
        OPENAI_API_KEY: SECRETS['OpenAI key'],
        LOG_LEVEL: 'trace',
        CANARY: canary,
      },
    });
    let written = '';
    child.stderr.on('data', (chunk: Buffer) => {
      written += chunk.toString('utf8');
    });
    await once(child, 'close');
    const log = text('stderr', written);
    expect(written.trim().split('\n')).toHaveLength(5);
    expect(findings([log], { canary })).toEqual(['canary in stderr']);
    expect(findings([log], SECRETS, [API_KEY_SID])).toEqual([]);
    expect(written).not.toMatch(/[\u0080-\u009f\u202a-\u202e]/);
  });
});

function placeOf(finding: string): string {
  return finding.slice(finding.indexOf(' in ') + 4);
}

/** Files and folders that another user of this machine could open. */
function readableByOthers(folder: string): readonly string[] {
  const paths = ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  return paths.filter((path) => (statSync(join(folder, path)).mode & 0o077) !== 0);
}
