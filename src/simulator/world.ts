import type { Answer } from './callee/callee.ts';
import { type Script, type ScriptedCallee, scriptedCallee } from './callee/scripted-callee.ts';
import type { Brain } from './openai/brain.ts';
import type { RealtimeSimulatorOptions } from './openai/knobs.ts';
import { type RealtimeSimulator, startRealtimeSimulator } from './openai/server.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';
import { loadPhrasebook } from './speech/load-phrasebook.ts';
import { startTwilioSimulator, type TwilioSimulator, type TwilioSimulatorOptions } from './twilio/account.ts';

export interface WorldOptions {
  /** A name of `SCENARIOS`; what is given besides it wins. */
  readonly scenario?: string;
  readonly script?: Script;
  readonly brain?: () => Brain;
  readonly ringMs?: number;
  /** In place of the scripted person. */
  readonly answer?: (to: string) => Answer;
  readonly twilio?: Partial<TwilioSimulatorOptions>;
  readonly realtime?: Partial<RealtimeSimulatorOptions>;
}

/** The outside world on loopback: a telephone network with people in it, and a speech model. */
export interface World {
  readonly twilio: TwilioSimulator;
  readonly realtime: RealtimeSimulator;
  /** How every telephone of this world is answered. */
  readonly answer: (to: string) => Answer;
  /** The people who have answered, in order. */
  readonly callees: readonly ScriptedCallee[];
  /** The settings with which a server finds this world, by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The same, by their names in the configuration. */
  readonly settings: {
    readonly twilioAccountSid: string;
    readonly twilioAuthToken: string;
    readonly twilioNumber: string;
    readonly twilioApiBaseUrl: string;
    readonly openaiApiKey: string;
    readonly openaiWebsocketUrl: string;
  };
  close(): Promise<void>;
}

const DEFAULT_RING_MS = 300;

/** Starts both simulators. Every call is answered by a person of its own, who follows the scenario's script. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const scenario = options.scenario === undefined ? undefined : SCENARIOS[options.scenario];
  const phrases = loadPhrasebook();
  const callees: ScriptedCallee[] = [];
  const script = options.script ?? scenario?.script ?? { rules: [] };
  const person = (): ScriptedCallee => {
    const callee = scriptedCallee(script, phrases);
    callees.push(callee);
    return callee;
  };
  const ringMs = options.ringMs ?? scenario?.ringMs ?? DEFAULT_RING_MS;
  const brain = (options.brain ?? scenario?.brain ?? SCENARIOS.reservation?.brain)?.();
  if (!brain) throw new RangeError('The world needs a scenario or a brain.');
  const realtime = await startRealtimeSimulator({ ...scenario?.realtime, ...options.realtime, brain });
  const answer = options.answer ?? (() => ({ kind: 'answers' as const, ringMs, callee: person }));
  const twilio = await startTwilioSimulator({
    answer,
    phrases,
    ...scenario?.twilio,
    ...options.twilio,
  });
  const settings = {
    twilioAccountSid: twilio.accountSid,
    twilioAuthToken: twilio.authToken,
    twilioNumber: twilio.number,
    twilioApiBaseUrl: twilio.baseUrl,
    openaiApiKey: realtime.apiKey,
    openaiWebsocketUrl: realtime.url,
  };
  return {
    twilio,
    realtime,
    answer,
    callees,
    settings,
    env: {
      TWILIO_ACCOUNT_SID: settings.twilioAccountSid,
      TWILIO_AUTH_TOKEN: settings.twilioAuthToken,
      TWILIO_NUMBER: settings.twilioNumber,
      TWILIO_API_BASE_URL: settings.twilioApiBaseUrl,
      OPENAI_API_KEY: settings.openaiApiKey,
      OPENAI_WEBSOCKET_URL: settings.openaiWebsocketUrl,
    },
    close: async () => {
      await twilio.close();
      await realtime.close();
    },
  };
}
