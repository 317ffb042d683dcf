/** The adapters, and what the switchboard takes of the settings: both out of the settings alone. */
import type { CallPolicy } from './call/events.ts';
import type { Limits } from './call/words.ts';
import type { Carrier } from './carriers/carrier.ts';
import { createTwilioCarrier, type TwilioOptions } from './carriers/twilio/carrier.ts';
import type { AppTiming } from './config/app-timing.ts';
import type { Config } from './config/config.ts';
import type { Model } from './models/model.ts';
import { createOpenAiModel } from './models/openai/model.ts';
import type { Clock } from './switchboard/clock.ts';
import type { Logger } from './switchboard/logger.ts';
import type { createSwitchboard } from './switchboard/switchboard.ts';

/** Who carries the calls, and who speaks in them. */
export interface Outside {
  readonly carrier: Carrier;
  readonly model: Model;
}

export interface OutsideOptions extends Pick<TwilioOptions, 'onRecording' | 'identify' | 'healthProof'> {
  readonly config: Config;
  readonly timing: AppTiming;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Longer end-pointing in turn one, or the agent talks over "Thank you for calling… Luigi's". */
const FIRST_TURN_SILENCE_MS = 1_000;

/** Null while settings are missing: the tools say which. */
export function createOutside(options: OutsideOptions): Outside | null {
  const { config, timing, onRecording, identify, healthProof, clock, logger } = options;
  const { publicUrl, twilioAccountSid, twilioAuthToken, twilioNumber, openaiApiKey } = config;
  if (!publicUrl || !twilioAccountSid || !twilioAuthToken || !twilioNumber || !openaiApiKey) return null;
  const carrier = createTwilioCarrier({
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
  return { carrier, model };
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
    limits,
    policy,
    allowedNumbers: config.allowedNumbers,
    blockedNumbers: config.blockedNumbers,
    maxConcurrentCalls: config.maxConcurrentCalls,
    maxCallsPerHour: config.maxCallsPerHour,
  };
}
