import { createHmac } from 'node:crypto';
import { WebSocket } from 'ws';
import type { AppTiming } from '../../src/config/app-timing.ts';
import type { RealtimeSession } from '../../src/simulator/openai/session.ts';
import { phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import type { SimulatedCall } from '../../src/simulator/twilio/call.ts';
import type { WorldOptions } from '../../src/simulator/world.ts';
import type { PlaceRequest } from '../../src/switchboard/port.ts';
import { type EndedCall, type Office, openOffice } from '../journeys/office.ts';
import { type CountingClock, countingClock } from './counting-clock.ts';
import { type Person, personWho, type Sound, terseBrain } from './person.ts';
import { checkCalleeLines, checkLines, heardInFull } from './transcript.ts';

export const PHASES = ['placing', 'ringing', 'joining', 'opening', 'talking', 'interrupted', 'ending'] as const;
export type Phase = (typeof PHASES)[number];

/** A call in its own world, as far as it has come. */
export interface Scene {
  readonly office: Office;
  readonly person: Person;
  /** The telephone call; there is none before the create. */
  readonly call: () => SimulatedCall;
  readonly session: () => RealtimeSession;
  readonly callId: () => string;
  /** Of the store; 0 for none. */
  readonly limitPages: (most: number) => void;
  /** Undone when the cell is over. */
  readonly later: (undo: () => void | Promise<void>) => void;
}

/** What becomes of a call: its outcomes that are true, and what its sentence must say. */
export interface Expected {
  readonly outcomes: readonly string[];
  readonly reason?: RegExp;
  /** Placing is refused with this sentence instead. */
  readonly refused?: RegExp;
  /** Twilio says a sentence of ours. */
  readonly said?: RegExp;
  readonly dialled?: boolean;
  /** A sentence of ours that the callee must have heard to its end, by its id in the phrasebook. */
  readonly heard?: string;
  /** Sentences of the callee that may be missing: what was said while nobody on our side could hear it. */
  readonly unheardSentences?: number;
  /** What the log must say, at `warn` or above; absent where nothing has gone wrong. */
  readonly logged?: RegExp;
  /** In a word or two, for the table. */
  readonly told: string;
}

export interface Cell {
  readonly fault: string;
  readonly phase: Phase;
  /** Where the call has come when the fault strikes; `strike` brings it to the phase. */
  readonly reachedAt?: Phase;
  /** Before anything is placed. */
  readonly world?: WorldOptions;
  readonly prepare?: (dataDir: string) => void;
  readonly request?: Partial<PlaceRequest>;
  readonly strike: (scene: Scene) => void | Promise<void>;
  readonly expected: Expected;
  /** What else must hold when the call has ended; answers with what does not. */
  readonly check?: (seen: { readonly office: Office; readonly person: Person }) => readonly string[];
}

export interface Outcome {
  readonly cell: Cell;
  readonly outcome: string;
  readonly reason: string;
  readonly longestSilenceMs: number;
  readonly tookMs: number;
  /** What was not as it must be. */
  readonly breaches: readonly string[];
}

/** A tenth to a quarter of the product's own times. */
export const TIMING: AppTiming = {
  call: {
    ringSlackMs: 1_000,
    queueMs: 500,
    inquiryDelaysMs: [150, 300, 600, 1_200],
    joinMs: 2_500,
    slotMs: 800,
    stuckMs: 1_500,
    answerMs: 800,
    breathMs: 250,
    retryMs: 150,
    deadAirMs: 2_500,
    graceMs: 150,
    closingQuietMs: 1_500,
    endingMs: 3_000,
    detachedInquireMs: 600,
    detachedMs: 2_000,
    detachedSayMs: 3_500,
    renewMs: 1_500,
    renewDelaysMs: [100, 300],
    hangUpDelaysMs: [80, 160, 320, 640],
    hangUpAnswerMs: 1_500,
    unboundMs: 4_000,
    sayMs: 1_500,
    sayMsPerChar: 30,
    settleMs: 800,
    transcriptMs: 800,
  },
  limits: { ringMs: 8_000, firstSpeechMs: 500, silenceMs: 3_500, callMs: 18_000 },
  firstTurnSilenceMs: 350,
  modelConnectMs: 1_000,
  modelHeartbeatMs: 350,
  restMs: 700,
  mediaMs: 900,
  storeBusyMs: 150,
  rescueMs: 300,
  storeRetriesMs: [100, 200, 400, 800, 1_600],
};

/**
 * The longest that nobody on the line hears anything, with these times: what is owed to the callee comes within `deadAirMs`, a lost
 * stream is back or put down within `detachedMs` after the carrier noticed (`mediaMs` when it hangs); then the carrier's own
 * sentence needs its way. The rest is for a busy machine. With the product's own times: 10 s and the way, 15 s for a stream.
 */
export const SILENCE_BOUND_MS = 4_000;
const PLACED_WITHIN_MS = 6_000;

export async function runCell(cell: Cell): Promise<Outcome> {
  const startedAtMs = performance.now();
  const clock = countingClock();
  const pages = new Int32Array(new SharedArrayBuffer(4));
  const people = personWho(cell.phase === 'interrupted' ? 'interrupts' : cell.phase === 'opening' ? 'waits' : 'speaks');
  const office = await openOffice({
    scenario: 'reservation',
    timing: TIMING,
    clock,
    storePages: pages,
    settings: { VAD_SILENCE_MS: '350', LOG_LEVEL: 'debug', PREFLIGHT: 'false' },
    brain: terseBrain,
    answer: () => ({ kind: 'answers', ringMs: cell.world?.ringMs ?? 250, callee: () => people }),
    ...(cell.prepare ? { prepare: cell.prepare } : {}),
    ...cell.world,
    twilio: { ...cell.world?.twilio, knobs: { sayMsPerCharacter: 8, ...cell.world?.twilio?.knobs } },
    realtime: {
      firstAudioDelayMs: 40,
      burstFactor: 2,
      transcriptionDelayMs: [80],
      ...(cell.phase === 'joining' ? { sessionCreatedDelayMs: 700 } : {}),
      ...cell.world?.realtime,
    },
  });
  const undo: (() => void | Promise<void>)[] = [];
  const breaches: string[] = [];
  let ended: EndedCall | null = null;
  let refused: string | null = null;
  let heardBefore = 0;
  try {
    let callId = '';
    const scene: Scene = {
      office,
      person: people,
      call: () => first(office.world.twilio.calls),
      session: () => last(office.world.realtime.sessions),
      callId: () => callId,
      limitPages: (most) => void Atomics.store(pages, 0, most),
      later: (back) => void undo.push(back),
    };
    if (cell.phase === 'placing') await cell.strike(scene);
    try {
      callId = await within(office.place(cell.request), PLACED_WITHIN_MS, 'place() answers');
    } catch (error) {
      refused = error instanceof Error ? error.message : String(error);
    }
    if (refused === null) {
      if (cell.phase !== 'placing') {
        await within(reach(cell.reachedAt ?? cell.phase, scene), 12_000, `the call comes to ${cell.phase}`);
        heardBefore = heardInFull(people).length;
        await cell.strike(scene);
      }
      ended = await within(office.ended(callId), 25_000, 'the call ends');
      breaches.push(...(cell.check?.({ office, person: people }) ?? []));
    }
    await checkWorld({ cell, office, person: people, ended, refused, heardBefore, breaches });
  } catch (error) {
    breaches.push(`${error instanceof Error ? error.message : error} (${storyOf(office, people)})`);
  } finally {
    for (const back of undo.toReversed()) await back();
    await close(office, clock, breaches);
  }
  return {
    cell,
    outcome: ended?.outcome ?? (refused === null ? 'none' : 'not placed'),
    reason: ended?.reason ?? refused ?? '',
    longestSilenceMs: longestSilence(office, people),
    tookMs: performance.now() - startedAtMs,
    breaches,
  };
}

/** How far a call has come, for whoever wonders why it came no further. */
function storyOf({ world }: Office, person: Person): string {
  const said = person.scripted.said.map(({ phraseId }) => phraseId);
  const spoken = world.realtime.sessions.map(({ record }) =>
    [...record.spoken.values()].map(({ phraseId }) => phraseId),
  );
  const calls = world.twilio.calls.map(({ status, streams }) => `${status}, ${streams.length} streams`);
  return `person: ${said.join(' ')}; sessions: ${spoken.map((ids) => ids.join(' ')).join(' | ')}; calls: ${calls.join(' | ')}`;
}

/** Resolves at the moment that the fault strikes. */
async function reach(phase: Phase, { office, person, call, session }: Scene): Promise<void> {
  const stream = () => office.world.twilio.calls[0]?.streams.at(-1)?.mediaSent ?? 0;
  switch (phase) {
    case 'placing':
      return;
    case 'ringing':
      // A model that refuses at once has the call put down again before anybody looks.
      return until(() => call().status !== 'queued');
    case 'joining':
      return until(() => stream() > 2);
    case 'opening':
      return until(() => stream() > 4 && session().record.sentTypes().includes('session.updated'));
    case 'talking':
      return until(() => (call().ear?.heardMs('a.name') ?? 0) >= 250);
    case 'interrupted': {
      const starts = () =>
        session()
          .record.sentTypes()
          .filter((type) => type.endsWith('speech_started')).length;
      return until(() => person.isSaying('c.stop') && starts() >= 2);
    }
    case 'ending': {
      const ending = () => office.log.some((line) => line.includes('"state":"ending"'));
      return until(() => (call().ear?.heardMs('a.farewell') ?? 0) >= 250 && ending());
    }
    default:
      return phase satisfies never;
  }
}

async function checkWorld(seen: {
  readonly cell: Cell;
  readonly office: Office;
  readonly person: Person;
  readonly ended: EndedCall | null;
  readonly refused: string | null;
  /** So many sentences had been heard to their end when the fault struck. */
  readonly heardBefore: number;
  readonly breaches: string[];
}): Promise<void> {
  const { cell, office, person, ended, refused, breaches } = seen;
  const { expected } = cell;
  const must = (holds: boolean, what: string): void => {
    if (!holds) breaches.push(what);
  };
  const { twilio, realtime } = office.world;
  must(twilio.calls.length === ((expected.dialled ?? true) ? 1 : 0), `${twilio.calls.length} calls were created`);
  if (expected.refused) must(expected.refused.test(refused ?? ''), `placing was answered with: ${refused}`);
  else must(refused === null, `placing was refused: ${refused}`);
  if (ended) {
    must(ended.state === 'ended' && ended.outcome !== null, 'the call has no outcome');
    must(/^[A-Z].+\.$/.test(ended.reason ?? ''), `the reason is no sentence: ${ended.reason}`);
    must(expected.outcomes.includes(ended.outcome ?? ''), `ended ${ended.outcome}: ${ended.reason}`);
    if (expected.reason) must(expected.reason.test(ended.reason ?? ''), `ended because: ${ended.reason}`);
    const heard = heardInFull(person);
    if (expected.heard) must(heard.includes(phrase(expected.heard).text), `${expected.heard} was not heard to its end`);
    checkLines({ all: heard, beforeFault: seen.heardBefore }, ended, must);
    checkCalleeLines(person, ended, expected.unheardSentences ?? 0, must);
  }
  const call = twilio.calls[0];
  if (call) {
    await until(() => call.isOver, 3_000).catch(() => must(false, `Twilio's call is left up: ${call.status}`));
    const said = call.said.map(({ text }) => text).join(' ');
    must(!said.includes('application error'), 'the callee heard that an application error has occurred');
    if (expected.said) must(expected.said.test(said), `Twilio said: ${said || 'nothing'}`);
    const silenceMs = longestSilence(office, person);
    must(silenceMs <= SILENCE_BOUND_MS, `nothing was heard for ${Math.round(silenceMs)} ms`);
    must(await refusesSpentToken(office, call), 'a spent stream token opened a socket');
  }
  const liveAtModel = () => realtime.sessions.filter(({ record }) => record.closed === null);
  for (const session of realtime.sessions) session.thaw();
  await until(() => liveAtModel().length === 0, 3_000).catch(() =>
    must(false, `${liveAtModel().length} sockets to the model are open`),
  );
  const loud = office.log.filter((line) => Number(JSON.parse(line).level) >= 40);
  if (expected.logged)
    must(
      loud.some((line) => expected.logged?.test(line)),
      `the log says at warn: ${loud.join('\n') || 'nothing'}`,
    );
  must(secretsIn(office).length === 0, `secrets in the log: ${secretsIn(office).length}`);
}

/** From the answer to the end, how long the callee heard nothing of us. What it says to somebody counts as heard, its "Hello?" does not. */
function longestSilence(office: Office, person: Person): number {
  const call = office.world.twilio.calls[0];
  if (!call?.answeredAt) return 0;
  const origin = performance.timeOrigin;
  const fromMs = call.answeredAt.getTime() - origin;
  const toMs = (call.endedAt?.getTime() ?? Date.now()) - origin;
  const createdMs = call.createdAt.getTime() - origin;
  const said: Sound[] = call.said.map(({ atMs, durationMs }) => ({
    fromMs: createdMs + atMs,
    toMs: createdMs + atMs + durationMs,
  }));
  const sounds = [...person.sounds, ...said].sort((a, b) => a.fromMs - b.fromMs);
  let quietSinceMs = fromMs;
  let longestMs = 0;
  for (const sound of [...sounds, { fromMs: toMs, toMs }]) {
    if (sound.fromMs > toMs) break;
    longestMs = Math.max(longestMs, sound.fromMs - quietSinceMs);
    quietSinceMs = Math.max(quietSinceMs, sound.toMs);
  }
  return Math.max(longestMs, toMs - quietSinceMs);
}

/** Whoever comes again with the address of the last stream, signed as it was, is refused before the upgrade. */
function refusesSpentToken(office: Office, call: SimulatedCall): Promise<boolean> {
  const url = call.streams.at(-1)?.url;
  if (url === undefined) return Promise.resolve(true);
  const signature = createHmac('sha1', office.world.twilio.authToken).update(url).digest('base64');
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers: { 'x-twilio-signature': signature } });
    socket.on('open', () => {
      socket.terminate();
      resolve(false);
    });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode === 403);
    });
    socket.on('error', () => resolve(true));
  });
}

function secretsIn({ world, log }: Office): readonly string[] {
  const told = log.join('\n');
  const tokens = world.twilio.calls.flatMap((call) => [
    ...call.webhooks.map(({ url }) => url.split('/').at(-1) ?? ''),
    ...call.streams.map(({ url }) => url.split('/').at(-1) ?? ''),
  ]);
  const words = ['a.name', 'a.farewell', 'a.four', 'c.stop'].map((id) => phrase(id).text);
  const secrets = [world.twilio.authToken, world.realtime.apiKey, ...tokens, ...words];
  return secrets.filter((secret) => secret.length > 3 && told.includes(secret));
}

async function close(office: Office, clock: CountingClock, breaches: string[]): Promise<void> {
  await within(office.close(), 15_000, 'the server stops').catch((error: Error) => breaches.push(error.message));
  if (clock.pending > 0) breaches.push(`${clock.pending} timers are left`);
}

export async function until(holds: () => boolean, withinMs = 12_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Within ${ms} ms it was to be that ${what}.`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error('there is none yet');
  return one;
}

function last<T>(list: readonly T[]): T {
  const one = list.at(-1);
  if (one === undefined) throw new Error('there is none yet');
  return one;
}
