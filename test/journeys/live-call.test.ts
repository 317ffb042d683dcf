import { afterEach, describe, expect, it } from 'vitest';
import type { Script } from '../../src/simulator/callee/scripted-callee.ts';
import type { World } from '../../src/simulator/world.ts';
import { processes } from './process.ts';
import { AGREES, ASKS, inMidSentence, LISTENS, ringingForEver, SENTENCES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

describe('a whole call over stdio', { timeout: 60_000 }, () => {
  it('is placed, followed, read, searched and told to subscribers, with nothing else on stdout and no secret in the log', async () => {
    const apiKey = `SK${'0123456789abcdef'.repeat(2)}`;
    const apiSecret = 'rest-secret-of-the-journey';
    const twilio = { authToken: 'auth-token-of-the-journey', apiKey, apiSecret };
    const world = here.later(await shortCalls(AGREES, { twilio, realtime: { apiKey: 'sk-key-of-the-journey' } }));
    const env = {
      ...world.env,
      TWILIO_API_KEY: apiKey,
      TWILIO_API_SECRET: apiSecret,
      DATA_DIR: here.folder(),
      LOG_LEVEL: 'trace',
    };
    const server = await here.start({ env, args: ['--simulate'] });
    await server.request('resources/subscribe', { uri: 'call://transcriptions/latest' });
    /** What could be read at the moment of each announcement. */
    const reads: Promise<Reading>[] = [];
    server.onUpdated((uri) => {
      if (uri !== 'call://transcriptions/latest') return;
      reads.push(server.readResource(uri).then(readingOf));
    });
    const placed = await server.tool('trigger-call', {
      toNumber: '+14155550123',
      callContext: 'Book a table.',
      idempotencyKey: 'k',
    });
    expect(placed.data).toMatchObject({ status: 'success', simulated: true, callSid: world.twilio.calls[0]?.sid });
    const callId = String(placed.data.callId);
    await server.request('resources/subscribe', { uri: `call://transcriptions/${callId}` });
    const { data, lines } = await server.follow(callId);
    expect(data).toMatchObject({ state: 'ended', outcome: 'completed', done: true, simulated: true });
    expect(lines.map(({ speaker, text }) => [speaker, text])).toEqual([
      ['callee', 'Wonderful, you are all set. See you on Friday.'],
      ['agent', 'Thank you very much for your help. Goodbye, and have a lovely evening.'],
      ['callee', 'Thanks, bye!'],
    ]);

    const call = await server.tool('get-call', { callId, detail: 'detailed' });
    expect(call.data).toMatchObject({ outcome: 'completed', lineCount: 3, simulated: true, to: '+14155550123' });
    expect(call.text).toContain('Simulated');
    const beyond = await server.tool('wait-for-call', { callId, cursor: 99 });
    expect(beyond.data).toMatchObject({ lines: [], cursor: 3, done: true });
    const found = await server.tool('search-transcripts', { query: 'lovely evening' });
    expect(found.data).toMatchObject({ matches: [{ callId, line: { speaker: 'agent' } }], simulated: true });
    const listed = await server.tool('list-calls', {});
    expect(listed.data).toMatchObject({ calls: [{ callId, simulated: true }], simulated: true });
    const resource = await server.readResource(`call://transcriptions/${callId}`);
    expect(resource).toMatchObject({ simulated: true, call: { outcome: 'completed' } });
    const ended = await server.tool('end-call', { callId });
    expect(ended.data).toMatchObject({ state: 'ended', simulated: true });

    // Whoever reads when something is announced misses nothing: each line came with an announcement, and so did the end.
    const seen = await Promise.all(reads);
    const counts = seen.map((one) => one.lines);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts).toEqual(expect.arrayContaining([0, 1, 3]));
    expect(seen.at(-1)).toEqual({ state: 'ended', lines: 3 });
    expect(server.updated.filter((uri) => uri.endsWith(callId)).length).toBeGreaterThanOrEqual(4);
    expect(world.twilio.calls).toHaveLength(1);
    expect(world.twilio.calls[0]).toMatchObject({ endedBy: 'rest', errors: [], warnings: [] });

    server.endInput();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(server.foreign).toEqual([]);
    expect(server.log).toContain('call placed');
    const secrets = [...secretsOf(world), apiSecret, basic(apiKey, apiSecret)];
    expect(secrets.length).toBeGreaterThanOrEqual(8);
    const told = `${server.log}\n${server.stdout.join('\n')}`;
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
    // The scan finds each of them where it stands.
    for (const secret of secrets) expect(secrets.filter((one) => `${told} ${secret}`.includes(one))).toContain(secret);
  });
});

interface Reading {
  readonly state: string;
  readonly lines: number;
}

function readingOf(resource: Readonly<Record<string, unknown>>): Reading {
  const { call, untrusted } = resource as { call: { state: string }; untrusted: { lines: unknown[] } };
  return { state: call.state, lines: untrusted.lines.length };
}

function basic(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

/** Everything that only the two ends may know: credentials, and the tokens of every address that Twilio was given. */
function secretsOf({ settings, twilio }: World): string[] {
  const { twilioAccountSid, twilioAuthToken, openaiApiKey } = settings;
  const tokens = twilio.calls.flatMap((call) =>
    [
      ...call.webhooks.map(({ url }) => url),
      ...call.webhooks.flatMap(({ reply }) => reply?.body.match(/(wss?|https?):\/\/[^"<]+/g) ?? []),
    ].map((url) => url.split('/').at(-1) ?? ''),
  );
  return [twilioAuthToken, openaiApiKey, basic(twilioAccountSid, twilioAuthToken), ...new Set(tokens)];
}

describe('end-call', { timeout: 60_000 }, () => {
  it('hangs up before the answer, politely or not, without a word', async () => {
    const world = here.later(await ringingForEver());
    const env = { ...world.env, DATA_DIR: here.folder() };
    const server = await here.start({ env, args: ['--simulate'] });
    for (const mode of ['polite', 'now']) {
      const callId = await server.place();
      const ended = await server.tool('end-call', { callId, mode });
      expect(ended).toMatchObject({ isError: false, data: { callId, simulated: true } });
      const { data, lines } = await server.follow(callId);
      expect(data).toMatchObject({ state: 'ended', outcome: 'canceled' });
      expect(String(data.reason)).not.toBe('');
      expect(lines).toEqual([]);
    }
    expect(world.twilio.calls.map(({ endedBy, streams }) => [endedBy, streams.length])).toEqual([
      ['rest', 0],
      ['rest', 0],
    ]);
  });

  it('says goodbye in mid-sentence when it is polite, and just hangs up when it is not', async () => {
    const end = async (script: Script, phrase: string, mode: 'polite' | 'now') => {
      const world = here.later(await shortCalls(script));
      const server = await here.start({ env: { ...world.env, DATA_DIR: here.folder() }, args: ['--simulate'] });
      const callId = await server.place();
      await inMidSentence(world, '+14155550123', phrase);
      expect(await server.tool('end-call', { callId, mode })).toMatchObject({ isError: false, data: { callId } });
      const { data, lines } = await server.follow(callId);
      expect(data).toMatchObject({ state: 'ended', outcome: 'canceled', done: true });
      const [call] = world.twilio.calls;
      expect(call).toMatchObject({ endedBy: 'rest' });
      return { lines, goodbyeMs: call?.ear?.heardMs('a.farewell', 1) };
    };
    const [polite, now] = await Promise.all([
      end(ASKS, SENTENCES.asks, 'polite'),
      end(LISTENS, SENTENCES.listens, 'now'),
    ]);
    expect(polite.goodbyeMs).toBeGreaterThan(1_800);
    expect(polite.lines.at(-1)).toMatchObject({ speaker: 'agent', text: 'Thank you for your time. Goodbye.' });
    expect(now.goodbyeMs).toBe(0);
    expect(now.lines.at(-1)).toMatchObject({ speaker: 'agent', interrupted: true });
  });
});
