import type { ResponseFault } from '../../src/simulator/openai/knobs.ts';
import type { RealtimeSession } from '../../src/simulator/openai/session.ts';
import { type Expected, type Scene, until } from './cell.ts';
import { AFTER_CREATE, atEach, because, type Fault, type FaultAt, GOES_ON, LIVE, nothing, SORRY } from './matrix.ts';

const FAILED = /model session failed/;

function apology(reason: RegExp, logged = FAILED): Expected {
  return { outcomes: ['error'], reason, said: SORRY, logged, told: 'apology, `error`' };
}

const BEFORE_THE_MODEL = because('not opened yet', ['placing']);

async function session(scene: Scene): Promise<RealtimeSession> {
  await until(() => scene.office.world.realtime.sessions.length > 0);
  return scene.session();
}

/** Refused when it is opened, and after a loss when it is opened again. */
function refused(
  name: string,
  refuseSessions: 'invalid_api_key' | 'invalid_model' | 'insufficient_quota',
  reason: RegExp,
): Fault {
  const again: FaultAt = {
    strike: async (scene) => {
      scene.office.world.realtime.turn({ refuseSessions });
      (await session(scene)).kill();
    },
    expected: apology(reason),
  };
  return {
    name,
    at: {
      ringing: {
        world: { realtime: { refuseSessions } },
        strike: nothing,
        expected: { outcomes: ['error'], reason, logged: FAILED, told: 'put down before the answer, `error`' },
      },
      joining: {
        world: { realtime: { refuseSessions } },
        strike: nothing,
        // Nobody hears what the callee says to no model at all.
        expected: { ...apology(reason), unheardSentences: 2 },
      },
      ...atEach(LIVE.slice(0, 3), () => again),
      ending: { ...again, expected: GOODBYE_HEARD },
    },
    otherwise: BEFORE_THE_MODEL,
  };
}

/** The goodbye is with the carrier already, so the model is not needed any more. */
const GOODBYE_HEARD: Expected = { ...GOES_ON, heard: 'a.farewell', told: 'the goodbye is heard' };

/** The session comes to an end in one way or another, and a new one takes over. */
function lost(name: string, lose: (session: RealtimeSession) => void, unheardSentences = 0): Fault {
  const strike = async (scene: Scene): Promise<void> => lose(await session(scene));
  return {
    name,
    at: {
      ...atEach(AFTER_CREATE.slice(0, -1), () => ({
        strike,
        expected: { ...GOES_ON, unheardSentences, logged: FAILED, told: 'renewed, goes on' },
      })),
      ending: { strike, expected: GOODBYE_HEARD },
    },
    otherwise: BEFORE_THE_MODEL,
  };
}

/** The same while the goodbye is asked for and has not been made: nobody is there to say it. */
function lostBeforeGoodbye(name: string, lose: (session: RealtimeSession) => void): Fault {
  return {
    name: `${name}, before the goodbye`,
    at: {
      ending: {
        ...goodbyeAsked((scene) => {
          const { realtime } = scene.office.world;
          realtime.turn({ neverAnswers: true });
          const asked = () => realtime.sessions.flatMap(({ record }) => record.received.map(({ type }) => type));
          const before = asked().filter((type) => type === 'response.create').length;
          void until(() => asked().filter((type) => type === 'response.create').length > before).then(() =>
            lose(scene.session()),
          );
        }),
        expected: {
          outcomes: ['canceled'],
          reason: /on request/,
          said: SORRY,
          logged: FAILED,
          told: 'apology, `canceled`',
        },
      },
    },
    otherwise: because('as above', ['placing', 'ringing', 'joining', 'opening', 'talking', 'interrupted']),
  };
}

/** The next replies end as `fault` says, the one that is being made in the middle of a word. */
function replies(
  name: string,
  fault: ResponseFault,
  count: number,
  expected: Expected,
  goodbye: Partial<Expected> = { outcomes: ['canceled'], reason: /on request/ },
): Fault {
  const spoil = async (scene: Scene): Promise<void> => {
    const current = await session(scene);
    const from = current.record.responses.length;
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    scene.office.world.realtime.turn({ responseFaults: Object.fromEntries(numbers.map((number) => [number, fault])) });
  };
  return {
    name,
    at: {
      opening: { strike: spoil, expected },
      talking: {
        strike: async (scene) => {
          if (count > 1) await spoil(scene);
          (await session(scene)).replies.breakOff(fault);
        },
        expected,
      },
      interrupted: { strike: spoil, expected },
      ending: { ...goodbyeAsked(spoil), expected: { ...expected, ...goodbye } },
    },
    otherwise: { ...BEFORE_THE_MODEL, ...because('no reply yet', ['ringing', 'joining']) },
  };
}

/** A goodbye is asked for in the middle of the conversation, after `strike`. */
function goodbyeAsked(strike: (scene: Scene) => void | Promise<void>): Pick<FaultAt, 'strike' | 'reachedAt'> {
  return {
    reachedAt: 'talking',
    strike: async (scene) => {
      await strike(scene);
      await scene.office.switchboard.end(scene.callId(), 'polite');
    },
  };
}

/** Pieces of audio that were sent when their reply had been broken into. */
function lateDeltas({ world }: Scene['office']): number {
  const sent = world.realtime.sessions.flatMap(({ record }) => record.sent);
  return sent.filter(({ type, event }, at) => {
    if (type !== 'response.output_audio.delta') return false;
    const begun = sent.findIndex((one) => one.type === type && one.event.response_id === event.response_id);
    return sent.slice(begun, at).some((one) => one.type === 'input_audio_buffer.speech_started');
  }).length;
}

const silentModel = (scene: Scene): void => scene.office.world.realtime.turn({ neverAnswers: true });
/** Nobody is there who could write down what the callee says meanwhile. */
const UNANSWERED: Expected = { ...apology(/speech model/, /.*/), unheardSentences: 3 };

export const MODEL_FAULTS: readonly Fault[] = [
  refused('model refuses the key', 'invalid_api_key', /OPENAI_API_KEY/),
  refused('model is not known', 'invalid_model', /OPENAI_REALTIME_MODEL/),
  refused('model has no quota', 'insufficient_quota', /credit/),
  {
    name: 'model: fatal error event',
    at: {
      ringing: {
        strike: async (scene) => (await session(scene)).object('credit_balance_exhausted', 'No credit.'),
        expected: {
          outcomes: ['error'],
          reason: /credit/,
          logged: FAILED,
          told: 'put down before the answer, `error`',
        },
      },
      ...atEach(['joining', ...LIVE.slice(0, 3)], () => ({
        strike: async (scene) => (await session(scene)).object('credit_balance_exhausted', 'No credit.'),
        expected: apology(/credit/),
      })),
      ending: {
        strike: async (scene) => (await session(scene)).object('credit_balance_exhausted', 'No credit.'),
        expected: GOODBYE_HEARD,
      },
    },
    otherwise: BEFORE_THE_MODEL,
  },
  {
    name: 'model: error event that is not fatal',
    at: atEach(AFTER_CREATE, () => ({
      strike: async (scene) => {
        const current = await session(scene);
        const types = () => current.record.sentTypes();
        // An error before the settings are confirmed is about the settings.
        await until(() => types().includes('session.updated') || !types().includes('session.created'));
        current.object('item_not_found', 'There is no such item.');
      },
      expected: GOES_ON,
    })),
    otherwise: BEFORE_THE_MODEL,
  },
  lost('model: socket dropped', (one) => one.kill()),
  // What is said before it is noticed goes into a connection that nobody reads any more.
  lost('model: half-open', (one) => one.freeze(), 1),
  lost('model: session expired', (one) => one.expire()),
  lostBeforeGoodbye('model: socket dropped', (one) => one.kill()),
  replies('model: a reply fails', 'server_error', 1, {
    ...GOES_ON,
    logged: /reply-failed/,
    told: 'asked again, goes on',
  }),
  replies('model: every reply fails', 'server_error', 40, apology(/could not answer/, /apology/), {
    outcomes: ['canceled'],
    reason: /on request/,
    said: /end this call now/,
    logged: /reply-failed/,
    told: 'the carrier says goodbye',
  }),
  replies('model: a reply is incomplete', 'content_filter', 1, {
    ...GOES_ON,
    logged: /reply-incomplete/,
    told: 'asked again, goes on',
  }),
  ...(['before-done', 'after-done'] as const).map(
    (when): Fault => ({
      name: `model: audio after a cancel, ${when.replace('-', ' ')}`,
      at: {
        interrupted: {
          // Made no faster than it is said, so that there is something to cancel.
          world: { realtime: { lateDeltas: { count: 6, when }, burstFactor: 1 } },
          strike: nothing,
          expected: { ...GOES_ON, told: 'dropped, goes on' },
          check: ({ office, person }) => [
            ...(lateDeltas(office) > 0 ? [] : ['no audio came after the cancel']),
            ...person.scripted.ear.faults().map(({ kind, phraseId }) => `${phraseId} was heard with a ${kind}`),
          ],
        },
      },
      otherwise: because('nothing is cancelled', ['placing', 'ringing', 'joining', 'opening', 'talking', 'ending']),
    }),
  ),
  {
    name: 'model: no answer',
    at: {
      ringing: {
        world: { ringMs: 6_500, realtime: { sessionCreatedDelayMs: 60_000 } },
        strike: nothing,
        expected: {
          outcomes: ['error'],
          reason: /could not be reached/,
          logged: FAILED,
          told: 'put down before the answer, `error`',
        },
      },
      joining: { world: { realtime: { sessionCreatedDelayMs: 60_000 } }, strike: nothing, expected: UNANSWERED },
      ...atEach(LIVE.slice(0, 3), () => ({ strike: silentModel, expected: UNANSWERED })),
      ending: {
        ...goodbyeAsked(silentModel),
        expected: { ...UNANSWERED, outcomes: ['canceled'], reason: /on request/, told: 'apology, `canceled`' },
      },
    },
    otherwise: BEFORE_THE_MODEL,
  },
];
