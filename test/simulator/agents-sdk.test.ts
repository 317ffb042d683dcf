import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TwilioRealtimeTransportLayer } from '@openai/agents-extensions';
import { RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';
import twilio from 'twilio';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type ScriptedCallee, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { reservationBrain } from '../../src/simulator/openai/brain.ts';
import { type RealtimeSimulator, startRealtimeSimulator } from '../../src/simulator/openai/server.ts';
import { loadPhrasebook, phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { startTwilioSimulator } from '../../src/simulator/twilio/account.ts';

/** Clients that are not ours hold a call on both simulators: OpenAI's own agents SDK and its Twilio transport. */

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

interface Foreign {
  readonly origin: string;
  readonly streamUrl: string;
  readonly errors: unknown[];
  readonly heardItems: () => string;
}

/** The bridge that the SDK's documentation shows: one transport for each stream, created when the stream connects. */
async function foreignBridge(model: RealtimeSimulator): Promise<Foreign> {
  const errors: unknown[] = [];
  const sessions: RealtimeSession[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(`<Response><Connect><Stream url="${streamUrl()}"/></Connect></Response>`);
  });
  const streams = new WebSocketServer({ server });
  streams.on('connection', (twilioWebSocket) => {
    const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket: twilioWebSocket as never });
    const agent = new RealtimeAgent({ name: 'Caller', instructions: 'Book a table.', voice: 'sage' });
    const pcmu = { type: 'audio/pcmu' } as const;
    const turnDetection = {
      type: 'server_vad',
      silenceDurationMs: 500,
      createResponse: true,
      interruptResponse: true,
    } as const;
    const session = new RealtimeSession(agent, {
      transport,
      model: 'gpt-realtime-2.1',
      tracingDisabled: true,
      config: {
        audio: {
          input: { format: pcmu, turnDetection, transcription: { model: 'gpt-transcribe' } },
          output: { format: pcmu },
        },
      },
    });
    session.on('error', (error) => errors.push(error));
    sessions.push(session);
    session
      .connect({ apiKey: model.apiKey, url: `${model.url}?model=gpt-realtime-2.1` })
      .catch((error: unknown) => errors.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const streamUrl = (): string => `ws://127.0.0.1:${port}/stream`;
  closers.push(async () => {
    for (const session of sessions) session.close();
    for (const client of streams.clients) client.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const heardItems = (): string => JSON.stringify(sessions.map((session) => session.history));
  return { origin: `http://127.0.0.1:${port}`, streamUrl: streamUrl(), errors, heardItems };
}

async function wholeCall(burstFactor: number) {
  const answer = { when: { heard: 'c.stop' }, reply: { speak: ['a.four'] } };
  const model = await startRealtimeSimulator({ brain: reservationBrain([answer]), burstFactor });
  closers.push(() => model.close());
  const bridge = await foreignBridge(model);
  const rules = [
    { when: { after: 'start', ms: 400 }, act: { say: 'c.hello' } },
    { when: { after: 'heard', phrase: 'a.opener', ms: 1_500 }, act: { say: 'c.stop' } },
    { when: { after: 'heard', phrase: 'a.four', share: 1, thenMs: 200 }, act: { say: 'c.bye' } },
    { when: { after: 'heard', phrase: 'a.farewell', share: 1, thenMs: 300 }, act: { hangUp: true } },
  ] as const;
  let person: ScriptedCallee | undefined;
  const callee = (): ScriptedCallee => {
    person = scriptedCallee({ rules }, loadPhrasebook());
    return person;
  };
  const carrier = await startTwilioSimulator({
    answer: () => ({ kind: 'answers', ringMs: 20, callee }),
    phrases: loadPhrasebook(),
  });
  closers.push(() => carrier.close());
  const client = twilio(carrier.accountSid, carrier.authToken);
  client.api.baseUrl = carrier.baseUrl;
  await client.calls.create({ to: '+14155550111', from: carrier.number, url: `${bridge.origin}/voice` });
  const call = carrier.calls[0];
  if (call === undefined) throw new Error('There is no call');
  await call.ended;
  const { record } = await model.session(0);
  await record.until((one) => one.closed !== null, 'the end of the session');
  if (person === undefined) throw new Error('Nobody answered');
  return { call, person, record, bridge };
}

describe('the agents SDK on the simulators', () => {
  it.concurrent.each([
    ['while the reply is still being made', 2],
    ['when the reply is long done', 40],
  ])(
    'holds a whole call and is interrupted %s',
    async (_when, burstFactor) => {
      const { call, person, record, bridge } = await wholeCall(burstFactor);
      expect(call.status).toBe('completed');
      expect(call.errors).toEqual([]);
      expect(call.warnings).toEqual([]);
      expect(bridge.errors).toEqual([]);
      expect(record.errorCodes()).toEqual([]);

      // What the person said was understood, frame for frame, and answered.
      expect(record.turns.map((turn) => turn.heard.map((one) => [one.phrase?.id, one.exact]))).toEqual([
        [['c.hello', true]],
        [['c.stop', true]],
        [['c.bye', true]],
      ]);
      expect(person.ear.heardPhrases.map((one) => one.phrase.id)).toEqual(['a.opener', 'a.four', 'a.farewell']);

      // The interruption: cleared on the telephone, cut short on the server, near what was truly heard.
      const [interruption] = person.interruptions;
      expect(person.interruptions).toHaveLength(1);
      expect(interruption?.cutShort).toBe(true);
      expect(record.truncations).toMatchObject([{ phraseId: 'a.opener', accepted: true }]);
      expect(Math.abs((record.truncations[0]?.audioEndMs ?? 0) - (interruption?.trulyHeardMs ?? 0))).toBeLessThan(500);
      expect(record.sentTypes()).toContain('conversation.item.truncated');
      expect(record.responses[0]?.status).toBe(burstFactor < 10 ? 'cancelled' : 'completed');
      expect(person.ear.heardMs('a.four')).toBe(phrase('a.four').durationMs);
      expect(person.ear.heardMs('a.farewell')).toBe(phrase('a.farewell').durationMs);

      // The SDK's own history has both sides' words.
      for (const id of ['c.hello', 'c.stop', 'a.four', 'a.farewell'])
        expect(bridge.heardItems()).toContain(phrase(id).text);
    },
    40_000,
  );
});
