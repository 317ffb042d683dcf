import { type AddressInfo, createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AmiClient,
  type AmiClientOptions,
  AmiRefusal,
  createAmiClient,
} from '../../../src/pbx/asterisk/ami/client.ts';
import { encodeAction } from '../../../src/pbx/asterisk/ami/message.ts';
import { type AmiItem, AmiParser } from '../../../src/pbx/asterisk/ami/parser.ts';
import { backoffMs } from '../../../src/pbx/backoff.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import {
  answersOf,
  headerOf,
  type ManagerOptions,
  type RecordedManager,
  startRecordedManager,
  USER,
  wireOf,
} from './recorded-manager.ts';

const BANNER = 'Asterisk Call Manager/11.0.0\r\n';
const parsed = (wire: string, cuts: readonly number[] = []): readonly AmiItem[] => {
  const parser = new AmiParser();
  const bytes = Buffer.from(BANNER + wire);
  const at = [0, ...[...cuts].sort((a, b) => a - b).filter((cut) => cut < bytes.length), bytes.length];
  return at.slice(1).flatMap((end, i) => parser.push(bytes.subarray(at[i], end)));
};
const shown = (items: readonly AmiItem[]) =>
  items.map((item) => (item.kind === 'banner' ? item : { kind: item.kind, headers: item.message.headers }));

describe('the manager protocol', () => {
  it('is read the same however the network cuts it: a whole call, byte by byte', () => {
    const wire = wireOf('46-full-call-event-stream');
    const whole = shown(parsed(wire));
    expect(whole.length).toBeGreaterThan(60);
    const everyByte = Array.from({ length: Buffer.byteLength(BANNER + wire) }, (_, i) => i);
    expect(shown(parsed(wire, everyByte))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(Buffer.byteLength(wire)), { maxLength: 40 }), (cuts) => {
        expect(shown(parsed(wire, cuts))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('never throws anything but its own error, nor loses its place, whatever bytes come', () => {
    const message = 'Event: Hangup\r\nChannel: PJSIP/1001-00000001\r\n\r\n';
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        const parser = new AmiParser();
        parser.push(Buffer.from(BANNER));
        const before = parser.push(noise);
        const after = parser.push(Buffer.from(`\r\n\r\n${message}`));
        expect([...before, ...after].at(-1)).toMatchObject({ kind: 'event', name: 'Hangup' });
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (noise) => {
        try {
          new AmiParser().push(noise);
        } catch (error) {
          expect(String(error)).toContain('ProtocolError');
        }
      }),
    );
  });

  it('has events that look like answers: those are events', () => {
    const [, response, event] = parsed(
      answersOf('53-originate-fail-unregistered')
        .slice(0, 2)
        .map((text) => `${text}\r\n\r\n`)
        .join(''),
    );
    expect(response).toMatchObject({ kind: 'response', ok: true });
    const all = parsed(wireOf('53-originate-fail-unregistered'));
    expect(all.find((item) => item.kind === 'event' && item.name === 'OriginateResponse')).toBeDefined();
    expect(event?.kind).toBe('event');
  });

  it('splits lines at CRLF alone: a bare line feed belongs to its value', () => {
    const [, answer] = parsed('Response: Error\r\nMessage: Unable to retrieve endpoint nope\n\r\nActionID: 1\r\n\r\n');
    if (answer?.kind !== 'response') throw new Error('no response');
    expect(answer.ok).toBe(false);
    expect(answer.message.get('actionid')).toBe('1');
    expect(answer.message.get('Message')).toBe('Unable to retrieve endpoint nope\n');
  });

  it('refuses a port behind which there is no manager, and a message without an end', () => {
    expect(() => new AmiParser().push(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'))).toThrow(/not an Asterisk manager/);
    const parser = new AmiParser();
    parser.push(Buffer.from(BANNER));
    expect(() => parser.push(Buffer.alloc(1_100_000, 'x'))).toThrow(/does not end/);
  });
});

describe('an action', () => {
  it('is refused where a value would add a line, and so a header or a whole second action', () => {
    expect(encodeAction('Ping', '1', {})).toBe('Action: Ping\r\nActionID: 1\r\n\r\n');
    for (const value of ['Bob\r\nApplication: System', 'Bob\r\n\r\nAction: ListCommands', 'Bob\nX', 'Bob\rX', 'Bob\0'])
      expect(() => encodeAction('Originate', '1', { CallerID: value })).toThrow(/line break or a NUL/);
    for (const key of ['Bob: x\r\nY', 'A B', '', 'Ä'])
      expect(() => encodeAction('Originate', '1', { [key]: 'x' })).toThrow(/is a word/);
    expect(() => encodeAction('Originate', '1', { Data: 'x'.repeat(1_000) })).toThrow(/longer than Asterisk takes/);
    expect(() => encodeAction('Originate', '1', { Variable: Array.from({ length: 100 }, () => 'x=1') })).toThrow(/60/);
  });

  it('has repeated headers for a list of values', () => {
    const text = encodeAction('Originate', '7', { Variable: ['a=1', 'b=2'], Timeout: 1_000 });
    expect(text).toBe('Action: Originate\r\nActionID: 7\r\nVariable: a=1\r\nVariable: b=2\r\nTimeout: 1000\r\n\r\n');
  });

  it('never holds a line break, whatever the value', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, value) => {
        let text: string;
        try {
          text = encodeAction('Originate', '1', { [key]: value });
        } catch {
          return;
        }
        expect(text.split('\r\n')).toHaveLength(5);
        expect(text.slice(0, -4)).not.toMatch(/\r\n\r\n|[\r\n](?!\n|Action|[A-Za-z])/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the client of the manager', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const open = async (
    options: ManagerOptions = {},
    more: Partial<AmiClientOptions> = {},
  ): Promise<{ readonly manager: RecordedManager; readonly client: AmiClient }> => {
    const manager = await startRecordedManager(options);
    const client = createAmiClient({
      address: { host: '127.0.0.1', port: manager.port, tls: false },
      ...USER,
      clock: systemClock,
      logger: { debug: () => undefined, warn: () => undefined },
      ...more,
    });
    closing.push(() => client.close(), manager.stop);
    return { manager, client };
  };

  const listening = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    return (server.address() as AddressInfo).port;
  };

  it('logs in by challenge, so that the secret is never on the wire', async () => {
    const { manager, client } = await open();
    await client.ready();
    expect(client.isConnected).toBe(true);
    await client.send('Ping');
    expect(JSON.stringify(manager.actions)).not.toContain(USER.secret);
  });

  it('says which settings to look at when the login is refused', async () => {
    const { client } = await open({ secret: 'another' });
    await expect(client.ready()).rejects.toMatchObject({
      name: 'ConfigError',
      settings: ['AMI_USERNAME', 'AMI_SECRET'],
    });
  });

  it('says what to check when nobody is there', async () => {
    const { manager, client } = await open();
    await manager.stop();
    await expect(client.ready()).rejects.toThrow(/cannot be reached. Check AMI_HOST/);
  });

  it.each([
    [
      'an HTTP server',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      { name: 'ProtocolError', message: /not an Asterisk manager. Check AMI_HOST and AMI_PORT/ },
    ],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.2\r\n', { name: 'ProtocolError', message: /not an Asterisk manager/ }],
    ['whoever hangs up', null, { name: 'UpstreamError', message: /cannot be reached: .*AMI_PORT and AMI_TLS/ }],
  ])('says what is wrong with a port behind which there is %s', async (_, greeting, { name, message }) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => (greeting === null ? socket.destroy() : socket.write(greeting)));
    });
    const port = await listening(server);
    const { client } = await open({}, { address: { host: '127.0.0.1', port, tls: false } });
    const failure = await client.ready().catch((error: unknown) => error);
    expect(failure).toMatchObject({ name, message: expect.stringMatching(message) });
    expect(String(failure)).not.toMatch(/not known whether/);
  });

  it('says of a port without TLS that it has none, instead of speaking of a certificate', async () => {
    const { manager } = await open();
    const { client } = await open({}, { address: { host: '127.0.0.1', port: manager.port, tls: true } });
    await expect(client.ready()).rejects.toThrow(/there is no TLS on this port.*5039/);
  });

  it('gathers a list between other events, and answers by ActionID in any order', async () => {
    const list = answersOf('40-coreshowchannels-call');
    const stray = 'Event: Newchannel\r\nChannel: PJSIP/1009-00000001';
    const held: string[][] = [];
    const { client } = await open({
      answer: (action) => {
        if (headerOf(action, 'Action') === 'Ping')
          return [...(held.splice(0)[0] ?? []), 'Response: Success\r\nActionID: %ID%'];
        held.push(
          [list[0] ?? '', stray, ...list.slice(1)].map((text) => text.replaceAll('%ID%', headerOf(action, 'ActionID'))),
        );
        return [];
      },
    });
    const events: string[] = [];
    client.onEvent(({ name }) => events.push(name));
    await client.ready();
    const [channels] = await Promise.all([client.list('CoreShowChannels'), client.send('Ping')]);
    expect(channels.map((item) => item.get('Channel'))).toEqual(['PJSIP/1002-00000004', 'PJSIP/1001-00000003']);
    expect(events).toEqual(['Newchannel']);
  });

  it('is never told of another client’s Originate as of its own', async () => {
    const { manager, client } = await open({
      answer: () => ['Response: Success\r\nActionID: %ID%\r\nMessage: Originate successfully queued'],
    });
    await client.ready();
    const outcome = client.outcome('Originate', {}, { event: 'OriginateResponse', timeoutMs: 300 });
    await until(() => manager.actions.length === 1);
    for (const id of ['1', '2', '3', '4'])
      manager.emit([
        ['Event', 'OriginateResponse'],
        ['ActionID', id],
        ['Response', 'Failure'],
        ['Reason', '0'],
      ]);
    await expect(outcome).rejects.toThrow(/did not answer Originate in time/);
  });

  it('knows how an Originate ended also when that is told before its answer', async () => {
    const answers = [
      'Event: OriginateResponse\r\nActionID: %ID%\r\nResponse: Failure\r\nReason: 3',
      'Response: Success\r\nActionID: %ID%',
    ];
    const { client } = await open({ answer: () => answers });
    const end = await client.outcome('Originate', {}, { event: 'OriginateResponse', timeoutMs: 1_000 });
    expect(end.get('Reason')).toBe('3');
  });

  it('fails an action that is refused with Asterisk’s reason apart, and one that is not answered', async () => {
    const { client } = await open(
      { answer: (action) => (headerOf(action, 'Action') === 'Hangup' ? answersOf('13-hangup-no-such') : []) },
      { actionTimeoutMs: 100 },
    );
    const refused = await client.send('Hangup', { Channel: 'PJSIP/none-00000000' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AmiRefusal);
    expect((refused as AmiRefusal).said).toBe('No such channel');
    expect(String(refused)).not.toContain('No such channel');
    await expect(client.send('CoreStatus')).rejects.toThrow(/not known whether it was carried out/);
  });

  it('fails what was under way when the connection is lost, logs in again, and says so', async () => {
    const { manager, client } = await open({ answer: () => [] }, { random: () => 0 });
    const statuses: string[] = [];
    client.onStatus((status) => statuses.push(status));
    await client.ready();
    const lost = client.send('Originate');
    await until(() => manager.actions.length === 1);
    manager.drop();
    await expect(lost).rejects.toThrow(/lost before it answered/);
    await until(() => client.isConnected);
    expect(statuses).toEqual(['connected', 'disconnected', 'connected']);
    expect(manager.actions).toHaveLength(1);
  });

  it('asks a server that has gone quiet for a sign of life, and gives it up when there is none', async () => {
    let isDead = false;
    const { manager, client } = await open(
      { answer: () => (isDead ? [] : ['Response: Success\r\nActionID: %ID%']) },
      { heartbeatMs: 40, actionTimeoutMs: 60, random: () => 0 },
    );
    await client.ready();
    await until(() => manager.actions.length >= 2);
    expect(manager.connections).toBe(1);
    isDead = true;
    await until(() => manager.connections >= 2);
  });

  it('waits longer after each try that failed, half of it by chance, half a minute at most', () => {
    const waits = (random: () => number) => [0, 1, 2, 3, 10, 1_000].map((tries) => backoffMs(tries, random));
    expect(waits(() => 0)).toEqual([250, 500, 1_000, 2_000, 15_000, 15_000]);
    expect(waits(() => 1)).toEqual([500, 1_000, 2_000, 4_000, 30_000, 30_000]);
  });
});
