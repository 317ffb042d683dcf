/** The adapters, and what the switchboard takes of the settings: both out of the settings alone. */
import type { CallPolicy } from './call/events.ts';
import type { Limits } from './call/words.ts';
import { createAsteriskCarrier, type IncomingCall, nameInLog } from './carriers/asterisk/carrier.ts';
import type { Carrier } from './carriers/carrier.ts';
import { createThreeCxCarrier } from './carriers/threecx/carrier.ts';
import { nameInLog as threeCxNameInLog } from './carriers/threecx/names.ts';
import { createTwilioCarrier, type TwilioOptions } from './carriers/twilio/carrier.ts';
import type { AppTiming } from './config/app-timing.ts';
import { type Config, usualVia } from './config/config.ts';
import type { Model } from './models/model.ts';
import { createOpenAiModel } from './models/openai/model.ts';
import type { Offices } from './offices/offices.ts';
import { AgentExchange } from './pbx/asterisk/exchange.ts';
import type { Clock } from './switchboard/clock.ts';
import type { Ringing } from './switchboard/inbound.ts';
import type { Logger } from './switchboard/logger.ts';
import type { createSwitchboard } from './switchboard/switchboard.ts';

/** Who carries the calls, and who speaks in them. */
export interface Outside {
  /** At least one. */
  readonly carriers: readonly Carrier[];
  readonly model: Model;
}

export interface OutsideOptions extends Pick<TwilioOptions, 'onRecording' | 'identify' | 'healthProof'> {
  readonly config: Config;
  readonly timing: AppTiming;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly offices: Pick<Offices, 'asterisk' | 'threecx'>;
  /** Takes a call that rings with us, or rejects. */
  readonly take: (call: Ringing) => Promise<void>;
}

/** Longer end-pointing in turn one, or the agent talks over "Thank you for calling… Luigi's". */
const FIRST_TURN_SILENCE_MS = 1_000;

/** Null while settings are missing: the tools say which. */
export function createOutside(options: OutsideOptions): Outside | null {
  const { config, timing, clock, logger } = options;
  const { openaiApiKey } = config;
  const carriers = [createTwilio(options), createAsterisk(options), createThreeCx(options)].filter(
    (carrier) => carrier !== null,
  );
  if (carriers.length === 0 || openaiApiKey === null) return null;
  const model = createOpenAiModel({
    apiKey: openaiApiKey,
    url: config.openaiWebsocketUrl,
    model: config.openaiRealtimeModel,
    dialect: config.openaiRealtimeDialect,
    transcriptionModel: config.openaiTranscriptionModel,
    noiseReduction: config.openaiNoiseReduction,
    turnDetection: config.turnDetection,
    vadThreshold: config.vadThreshold,
    connectTimeoutMs: timing.modelConnectMs,
    heartbeatMs: timing.modelHeartbeatMs,
    clock,
    logger,
  });
  return { carriers, model };
}

function createTwilio({ config, timing, clock, logger, ...rest }: OutsideOptions): Carrier | null {
  const { publicUrl, twilioAccountSid, twilioAuthToken, twilioNumber } = config;
  const { onRecording, identify, healthProof } = rest;
  if (!publicUrl || !twilioAccountSid || !twilioAuthToken || !twilioNumber) return null;
  return createTwilioCarrier({
    accountSid: twilioAccountSid,
    authToken: twilioAuthToken,
    authTokenSecondary: config.twilioAuthTokenSecondary ?? undefined,
    apiKey: config.twilioApiKey ?? undefined,
    apiSecret: config.twilioApiSecret ?? undefined,
    number: twilioNumber,
    publicUrl,
    apiBaseUrl: config.twilioApiBaseUrl ?? undefined,
    recording: config.twilioRecording,
    onRecording,
    identify,
    requestTimeoutMs: timing.restMs,
    mediaTimeoutMs: timing.mediaMs,
    clock,
    healthProof,
    logger,
  });
}

/** Carrier and telephone system meet here alone: the one gets functions of the other. */
function createAsterisk(options: OutsideOptions): Carrier | null {
  const { config, clock, logger, offices } = options;
  const { asteriskMediaUsername: username, asteriskMediaPassword: password, amiHost, amiUsername, amiSecret } = config;
  if (!username || !password || !amiHost || !amiUsername || !amiSecret) return null;
  const exchange = new AgentExchange({
    ami: offices.asterisk().ami,
    clock,
    logger,
    context: config.asteriskContext,
    agentContext: config.asteriskAgentContext,
    country: config.asteriskCountry.toUpperCase(),
    plus: config.asteriskPlus,
  });
  return createAsteriskCarrier({
    exchange,
    username,
    password,
    audioSocket: config.asteriskAudioSocket === null ? undefined : addressOf(config.asteriskAudioSocket),
    clock,
    logger,
    incoming: incomingOf<IncomingCall>(options, nameInLog, (call) => call.decline()),
  });
}

/** The agent's calls go over its own route point, which is named as the client. */
function createThreeCx(options: OutsideOptions): Carrier | null {
  const { config, clock, logger, offices } = options;
  const { pbxFqdn, pbxClientId, pbxClientSecret } = config;
  if (!pbxFqdn || !pbxClientId || !pbxClientSecret) return null;
  const { callControl: exchange, checkTarget: checkExtension } = offices.threecx();
  return createThreeCxCarrier({
    exchange,
    routePoint: pbxClientId,
    checkExtension,
    clock,
    logger,
    // One that is not taken rings on.
    incoming: incomingOf<Ringing>(options, threeCxNameInLog),
  });
}

/** `decline` leaves a call to the telephone system after all. */
function incomingOf<Call extends Ringing>(
  { config, take, logger }: OutsideOptions,
  nameOf: (uniqueId: string) => string,
  decline: (call: Call) => void = () => undefined,
): { readonly mayTake: () => boolean; readonly take: (call: Call) => void } {
  return {
    mayTake: () => config.inboundContext !== null,
    take: (call) => {
      take(call).catch((err: unknown) => {
        logger.warn({ err, call: nameOf(call.uniqueId) }, 'a call that came in was not taken');
        decline(call);
      });
    },
  };
}

export function settingsOf(config: Config, timing: AppTiming): Parameters<typeof createSwitchboard>[0]['settings'] {
  const limits: Limits = {
    ringMs: config.ringTimeoutSeconds * 1_000,
    firstSpeechMs: config.firstSpeechSeconds * 1_000,
    silenceMs: config.silenceSeconds * 1_000,
    callMs: config.maxCallSeconds * 1_000,
    ...timing.limits,
  };
  const policy: CallPolicy = {
    serverInterrupts: true,
    turnSilenceMs: config.vadSilenceMs,
    firstTurnSilenceMs: timing.firstTurnSilenceMs ?? Math.max(FIRST_TURN_SILENCE_MS, config.vadSilenceMs),
  };
  return {
    simulated: config.simulate,
    preflight: config.preflight,
    voice: config.openaiVoice,
    language: 'en',
    disclose: config.aiDisclosure,
    record: config.recordCalls,
    via: usualVia(config),
    inboundContext: config.inboundContext,
    officeCountries: { asterisk: config.asteriskCountry.toUpperCase(), '3cx': config.pbxCountry.toUpperCase() },
    limits,
    policy,
    allowedNumbers: config.allowedNumbers,
    blockedNumbers: config.blockedNumbers,
    maxConcurrentCalls: config.maxConcurrentCalls,
    maxCallsPerHour: config.maxCallsPerHour,
  };
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
