import { describe, expect, it } from 'vitest';
import { type Access, LOCAL_ACCESS, type Scope } from '../../src/config/access.ts';
import { readConfig } from '../../src/config/config.ts';
import { TOOLS } from '../../src/mcp/catalogue.ts';
import { LOCAL_SESSION, type Offer, offeredTools, offerNotices, offerOf, type Session } from '../../src/mcp/offer.ts';
import { scopeOfRequest } from '../../src/mcp/server.ts';
import { callTool, linkedPair } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const ALL = TOOLS.filter(({ toolset }) => toolset === 'voice').map(({ name }) => name);
const OFFICE = TOOLS.filter(({ toolset }) => toolset === 'asterisk').map(({ name }) => name);
const HOSTED = {
  '3cx': TOOLS.filter(({ toolset }) => toolset === '3cx').map(({ name }) => name),
  voipms: TOOLS.filter(({ toolset }) => toolset === 'voipms').map(({ name }) => name),
};
const READING = ALL.filter((name) => name !== 'trigger-call' && name !== 'end-call');

function local(offer: Partial<Offer>): Session {
  return { ...LOCAL_SESSION, offer: { ...LOCAL_SESSION.offer, ...offer } };
}

function remote(...scopes: Scope[]): Session {
  const access: Access = { name: 'somebody', scopes: new Set(scopes) };
  return { ...LOCAL_SESSION, access, transport: 'http' };
}

function names(session: Session): readonly string[] {
  return offeredTools(TOOLS, session).map(({ name }) => name);
}

describe('what a client is offered', () => {
  it('is everything that is configured for a program of this user', () => {
    expect(names({ ...LOCAL_SESSION, access: LOCAL_ACCESS })).toEqual(ALL);
    const offer = offerOf(readConfig({ env: { AMI_HOST: 'pbx.example.com' } }));
    expect(names(local(offer))).toEqual([...ALL, ...OFFICE]);
    const hosted = { PBX_FQDN: 'pbx.example.com', VOIPMS_API_USERNAME: 'owner@example.com' };
    expect(names(local(offerOf(readConfig({ env: hosted }))))).toEqual([...ALL, ...HOSTED['3cx'], ...HOSTED.voipms]);
    // Simulated calls leave the office's telephones alone.
    const env = { ...hosted, AMI_HOST: 'pbx.example.com' };
    expect(names(local(offerOf(readConfig({ env, argv: ['--simulate'] }))))).toEqual(ALL);
  });

  it('are the sets that are chosen, of these the tools that are named, without the ones that are excluded', () => {
    expect(names(local({ toolsets: ['voice'] }))).toEqual(ALL);
    expect(names(local({ toolsets: ['asterisk'] }))).toEqual(OFFICE);
    expect(names(local({ toolsets: ['3cx', 'voipms'] }))).toEqual([...HOSTED['3cx'], ...HOSTED.voipms]);
    expect(names(local({ tools: ['get-call', 'trigger-call'] }))).toEqual(['trigger-call', 'get-call']);
    expect(names(local({ tools: ['get-call', 'trigger-call'], excludeTools: ['trigger-call'] }))).toEqual(['get-call']);
  });

  it('is nothing that changes anything where READ_ONLY is set, whatever else is asked for', () => {
    const tools = offeredTools(TOOLS, local({ readOnly: true, tools: [...ALL] }));
    expect(tools.map(({ name }) => name)).toEqual(READING);
    expect(tools.every(({ annotations }) => annotations.readOnlyHint)).toBe(true);
    expect(Object.keys(tools.find(({ name }) => name === 'get-recording')?.input.shape ?? {})).toEqual(['callId']);
  });

  it('is what its token may do: to write files on the server needs admin', () => {
    expect(names(remote('calls:read'))).toEqual(READING);
    expect(names(remote('calls:place'))).toEqual(['trigger-call', 'end-call']);
    expect(names(remote('pbx:read', 'pbx:write'))).toEqual([]);
    const office = (...scopes: Scope[]) =>
      names({ ...remote(...scopes), offer: local({ toolsets: ['asterisk'] }).offer });
    expect(office('calls:read', 'calls:place')).toEqual([]);
    expect(office('pbx:read')).not.toContain('asterisk_hangup_channel');
    expect(office('pbx:read')).toContain('asterisk_list_channels');
    expect(office('pbx:read', 'pbx:write')).toEqual(OFFICE);
    expect(names(remote('admin'))).toEqual(ALL);
    const recording = (session: Session) => offeredTools(TOOLS, session).find(({ name }) => name === 'get-recording');
    expect(recording(remote('calls:read', 'calls:place'))?.annotations.readOnlyHint).toBe(true);
    expect(recording(remote('admin'))?.annotations.readOnlyHint).toBe(false);
  });

  it('is told in the instructions, which name no other tool', async () => {
    const { client } = await linkedPair(new SmallSwitchboard(), { session: local({ readOnly: true }) });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(READING);
    expect(client.getInstructions()).toContain('No calls can be placed');
    expect(client.getInstructions()).not.toContain('trigger-call');
    expect(client.getServerCapabilities()?.prompts).toBeUndefined();
  });

  it('says of a tool that is not offered why it is not', async () => {
    const placing = { toNumber: '+14155550123', callContext: 'Book a table.' };
    const cases: readonly (readonly [Session, RegExp])[] = [
      [local({ readOnly: true }), /READ_ONLY/],
      [local({ excludeTools: ['trigger-call'] }), /EXCLUDE_TOOLS/],
      [local({ tools: ['get-call'] }), /TOOLS leaves it out/],
      [local({ toolsets: ['asterisk'] }), /TOOLSETS/],
      [remote('calls:read'), /scope calls:place/],
    ];
    for (const [session, why] of cases) {
      const switchboard = new SmallSwitchboard();
      const { client } = await linkedPair(switchboard, { session });
      await expect(client.callTool({ name: 'trigger-call', arguments: placing })).rejects.toThrow(why);
      expect(switchboard.placed).toEqual([]);
    }
  });

  it('lets subscribe to what is offered alone, and says what to set where a system is not set up', async () => {
    const { client } = await linkedPair(new SmallSwitchboard(), { session: local({ toolsets: ['3cx'] }) });
    for (const uri of ['asterisk://channels', 'call://transcriptions'])
      await expect(client.subscribeResource({ uri })).rejects.toMatchObject({ code: -32602 });
    await expect(client.subscribeResource({ uri: 'threecx://messages' })).rejects.toThrow(/PBX_FQDN/);
  });

  it('holds no resource of calls for who may not read them, by no way', async () => {
    const switchboard = new SmallSwitchboard();
    await switchboard.place({ to: '+14155550123', context: 'Book a table.' });
    const { client } = await linkedPair(switchboard, { session: remote('calls:place') });
    expect(client.getServerCapabilities()?.resources).toBeUndefined();
    await expect(client.request({ method: 'resources/list' }, ANYTHING)).rejects.toThrow(/not found/i);
    await expect(client.readResource({ uri: 'call://transcriptions/latest' })).rejects.toThrow(/not (found|support)/i);
  });
});

const ANYTHING = { parse: (value: unknown) => value, safeParse: (data: unknown) => ({ success: true, data }) } as never;

describe('names in the settings that mean nothing', () => {
  it('are told in each answer, as an exclusion with a slip of the pen excludes nothing', async () => {
    const offer = { excludeTools: ['triger-call'], tools: [...ALL, 'dial'], toolsets: ['voice'] as const };
    expect(offerNotices(TOOLS, local(offer).offer)).toEqual([
      'TOOLS names dial, and there is no such tool.',
      'EXCLUDE_TOOLS names triger-call, and there is no such tool.',
    ]);
    const { client } = await linkedPair(new SmallSwitchboard(), { session: local(offer) });
    expect((await callTool(client, 'list-calls', {})).text).toContain('EXCLUDE_TOOLS names triger-call');
  });
});

describe('settings of the offer that cannot be read', () => {
  it('may have been meant to forbid something: then nothing is offered that changes anything, and users are asked', () => {
    for (const name of ['TOOLSETS', 'TOOLS', 'EXCLUDE_TOOLS', 'READ_ONLY']) {
      const reading = readConfig({ env: { [name]: '!' } });
      expect(reading.complaints.map(({ setting }) => setting)).toEqual([name]);
      expect(offerOf(reading).readOnly, name).toBe(true);
    }
    expect(offerOf(readConfig({ env: { CONFIRM_CALLS: 'alway' } })).confirmCalls).toBe('always');
    expect(offerOf(readConfig({ env: {} }))).toEqual(LOCAL_SESSION.offer);
  });
});

describe('the scope that a request needs', () => {
  it('is that of its tool, or of what it reads', () => {
    expect(scopeOfRequest('tools/call', { name: 'trigger-call' })).toBe('calls:place');
    expect(scopeOfRequest('tools/call', { name: 'get-call', arguments: { callId: 'x' } })).toBe('calls:read');
    expect(scopeOfRequest('tools/call', { name: 'get-recording', arguments: { callId: 'x' } })).toBe('calls:read');
    const saving = { name: 'get-recording', arguments: { callId: 'x', saveTo: '/tmp/x.wav' } };
    expect(scopeOfRequest('tools/call', saving)).toBe('admin');
    for (const method of ['resources/read', 'resources/subscribe', 'completion/complete'])
      expect(scopeOfRequest(method, {})).toBe('calls:read');
    for (const method of ['initialize', 'ping', 'tools/list', 'resources/list', 'prompts/list'])
      expect(scopeOfRequest(method, {})).toBeNull();
    expect(scopeOfRequest('completion/complete', { ref: { type: 'ref/prompt' } })).toBeNull();
    for (const params of [null, 1, 'x', {}, { name: 'nothing' }, { name: 7 }])
      expect(scopeOfRequest('tools/call', params)).toBeNull();
  });
});
