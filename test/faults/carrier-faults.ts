import type { Expected, Scene } from './cell.ts';
import {
  AFTER_CREATE,
  atEach,
  because,
  type Fault,
  type FaultAt,
  GOES_ON,
  nothing,
  SORRY,
  WITH_STREAM,
} from './matrix.ts';

const NO_STREAM = because('no stream yet', ['placing', 'ringing']);
const PUT_DOWN: Expected = { outcomes: ['canceled'], reason: /on request/, told: 'put down, `canceled`' };
/** Once the business is done, that is how it ended. */
const DONE: Expected = { ...GOES_ON, told: 'put down, `completed`' };
const ATTACHED: Expected = { ...GOES_ON, logged: /stream/, told: 'attached again, goes on' };

const now = (scene: Scene) => scene.office.switchboard.end(scene.callId(), 'now').then(() => undefined);

/** Twilio refuses the create; later, twice, the hang-up. */
function refusal(code: number, placing: Expected): Fault {
  return {
    name: `REST ${code}`,
    at: {
      placing: {
        strike: ({ office }) => void office.world.twilio.knobs.refuseCreates.push(code),
        expected: placing,
      },
      ...atEach(AFTER_CREATE, (phase) => ({
        strike: async (scene) => {
          scene.office.world.twilio.knobs.refuseUpdates.push(code, code);
          await now(scene);
        },
        expected: {
          ...(phase === 'ending' ? DONE : PUT_DOWN),
          logged: /did not end the call/,
          told: 'put down at the third try',
        },
      })),
    },
    otherwise: {},
  };
}

const NO_STREAM_AT_ALL: Expected = {
  outcomes: ['error'],
  reason: /PUBLIC_URL/,
  said: SORRY,
  told: 'apology, `error`',
};

/** So many of the next streams are refused by something between Twilio and the server. */
function refusedStreams(which: string, count: number, first: Expected, another: Expected): Fault {
  const refuse = ({ office }: Scene): void => {
    office.world.twilio.knobs.failStreams = count;
  };
  const lose = (scene: Scene): void => {
    refuse(scene);
    scene.call().dropStream({ withStop: false });
  };
  return {
    name: `carrier: ${which} refused on its way`,
    at: { ringing: { strike: refuse, expected: first }, talking: { strike: lose, expected: another } },
    otherwise: {
      ...because('as while ringing', ['placing', 'joining']),
      ...because('as while talking', ['opening', 'interrupted', 'ending']),
    },
  };
}

const notPlaced = (refused: RegExp): Expected => ({
  outcomes: [],
  refused,
  dialled: false,
  logged: /refused/,
  told: 'not placed, a sentence',
});

export const CARRIER_FAULTS: readonly Fault[] = [
  {
    name: 'carrier: socket dropped without stop',
    at: atEach(
      WITH_STREAM,
      (phase): FaultAt => ({
        strike: (scene) => scene.call().dropStream({ withStop: false }),
        expected: phase === 'ending' ? DONE : ATTACHED,
      }),
    ),
    otherwise: NO_STREAM,
  },
  {
    name: 'carrier: no media',
    at: atEach(
      WITH_STREAM,
      (phase): FaultAt => ({
        strike: (scene) => {
          const { stream } = scene.call();
          if (stream) stream.muted = true;
        },
        // What is said into the silent stream is heard by nobody.
        expected: { ...(phase === 'ending' ? DONE : ATTACHED), unheardSentences: 1 },
      }),
    ),
    otherwise: NO_STREAM,
  },
  {
    name: 'carrier: webhooks repeated',
    at: {
      placing: { world: { twilio: { knobs: { duplicateStatus: true } } }, strike: nothing, expected: GOES_ON },
      ...atEach(AFTER_CREATE, () => ({ strike: (scene) => scene.call().repeatWebhooks(), expected: GOES_ON })),
    },
    otherwise: {},
  },
  {
    name: 'carrier: webhooks reordered',
    at: {
      placing: { world: { twilio: { knobs: { statusWebhooks: 'reversed' } } }, strike: nothing, expected: GOES_ON },
      ringing: {
        strike: ({ office }) => {
          office.world.twilio.knobs.statusWebhooks = 'reversed';
        },
        expected: GOES_ON,
      },
    },
    otherwise: because('one is left', WITH_STREAM),
  },
  {
    name: 'REST 21211',
    at: {
      placing: {
        strike: ({ office }) => void office.world.twilio.knobs.refuseCreates.push(21211),
        expected: notPlaced(/not valid/),
      },
    },
    otherwise: because('creates only', AFTER_CREATE),
  },
  refusal(20003, notPlaced(/TWILIO_AUTH_TOKEN|credentials/)),
  refusal(429, notPlaced(/too many|Wait/i)),
  refusal(500, {
    outcomes: ['unknown'],
    reason: /check before calling again/,
    dialled: false,
    logged: /uncertain/,
    told: 'asked about, `unknown`',
  }),
  {
    name: 'REST: applied, but no answer',
    at: {
      placing: {
        world: { twilio: { knobs: { createAnswer: 'hangs' } } },
        strike: nothing,
        expected: { ...GOES_ON, told: 'found by its webhook, goes on' },
      },
      ...atEach(AFTER_CREATE, (phase) => ({
        strike: async (scene) => {
          scene.office.world.twilio.knobs.updateAnswer = 'hangs';
          await now(scene);
        },
        expected: phase === 'ending' ? DONE : PUT_DOWN,
      })),
    },
    otherwise: {},
  },
  refusedStreams('a stream', 1, { ...GOES_ON, told: 'asked for again, goes on' }, ATTACHED),
  refusedStreams('every stream', 9, NO_STREAM_AT_ALL, NO_STREAM_AT_ALL),
];
