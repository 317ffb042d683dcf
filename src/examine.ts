/** What `switchboard doctor` looks at. Beside compose the one file that names adapters: settings → looks → findings. */
import { createHmac, randomBytes } from 'node:crypto';
import { PRICES } from './call/prices.ts';
import type { Carrier } from './carriers/carrier.ts';
import { createTwilioCarrier } from './carriers/twilio/carrier.ts';
import { checkHealth, proofIn, tryUpgrade, upgradeSentence } from './carriers/twilio/preflight.ts';
import { probeAccount } from './carriers/twilio/probe.ts';
import { signUpgrade, toSocketUrl } from './carriers/twilio/signature.ts';
import type { Config, ConfigReading } from './config/config.ts';
import { readPricesFile } from './config/prices-file.ts';
import { keptApart, leadsToSimulators } from './config/simulated.ts';
import { checkCertificate } from './doctor/certificate.ts';
import { checkClock } from './doctor/clock.ts';
import { type Finding, skipped } from './doctor/finding.ts';
import { checkFolder } from './doctor/folder.ts';
import { checkModel } from './doctor/model.ts';
import { checkPrivatePort, checkPublicPort, holderOf, isPrivateListener, localUrl } from './doctor/ports.ts';
import { checkPublicUrl, type PublicLook, skippedPublicUrl } from './doctor/public-url.ts';
import { checkDotenv, checkPrices, checkSettings } from './doctor/settings.ts';
import { checkStore } from './doctor/store.ts';
import { ConfigError } from './errors.ts';
import { freePort } from './http/free-port.ts';
import { createPublicServer } from './http/server.ts';
import { probeSession } from './models/openai/probe.ts';
import { examineOffices } from './offices/offices.ts';
import { startSimulatedOffices, wantedOffices } from './simulator/offices.ts';
import { startWorld, type World } from './simulator/world.ts';
import { examineSqliteStore } from './store/sqlite/examine.ts';
import { systemClock } from './switchboard/clock.ts';
import type { Logger } from './switchboard/logger.ts';

export interface ExamineOptions {
  readonly reading: ConfigReading;
  /** Leaves out everything that leaves this machine. */
  readonly offline: boolean;
  /** Whose mode is looked at, when there is one. */
  readonly dotenvFile?: string;
  readonly timeoutMs?: number;
  /** Wall clock, milliseconds. */
  readonly now?: () => number;
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const OFFLINE = 'Left out by --offline.';
const STREAM_PATH = '/call/connection-outgoing/';

interface Look {
  readonly config: Config;
  readonly offline: boolean;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/**
 * Looks at everything that a call needs, places none, spends nothing, and leaves a running server alone. Never rejects for what it
 * finds. With `--simulate` the accounts are those of the simulators.
 */
export async function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { reading, offline, dotenvFile, timeoutMs = 10_000, now = Date.now } = options;
  const { config, close } = await placeOf(keptApart(reading.config));
  const look: Look = { config, offline, timeoutMs, now };
  try {
    const dotenv = dotenvFile === undefined ? null : await checkDotenv(dotenvFile);
    return [
      ...checkSettings(reading),
      ...(dotenv === null ? [] : [dotenv]),
      ...checkPrices(readPricesFile(config.pricesFile, PRICES).complaint),
      ...(await checkFolder(config.dataDir)),
      checkStore(await examineSqliteStore({ dataDir: config.dataDir })),
      ...(await examinePublicSide(look)),
      await examinePrivatePort(look),
      ...(await examineAccounts(look)),
      ...(offline ? [] : await examineOffices(config, systemClock, SILENT)),
    ];
  } finally {
    await close();
  }
}

/** The settings as a server would start with them, in a simulated world where they ask for one. */
async function placeOf(config: Config): Promise<{ readonly config: Config; close(): Promise<void> }> {
  if (!config.simulate) return { config, close: async () => undefined };
  const world: World | null = leadsToSimulators(config) ? null : await startWorld({ scenario: 'reservation' });
  const offices = await startSimulatedOffices(wantedOffices(config));
  const placed = { ...config, ...world?.settings, ...offices.settings };
  const close = async (): Promise<void> => {
    await offices.close();
    await world?.close();
  };
  if (placed.publicUrl !== null) return { config: placed, close };
  const port = await freePort(placed.host);
  return { config: { ...placed, port, publicUrl: `http://127.0.0.1:${port}` }, close };
}

async function examinePublicSide(look: Look): Promise<readonly Finding[]> {
  const { config, timeoutMs } = look;
  const own = ownListener(look);
  const address = { host: config.host, port: config.port };
  const running = await own.start().then(
    () => null,
    (error: unknown) => codeOf(error),
  );
  try {
    if (running === null) {
      return [checkPublicPort(address, 'nobody'), ...(await examinePublicUrl(look, own.look))];
    }
    const ask = proofOfRunning(localUrl(address), timeoutMs);
    const holder = running !== 'EADDRINUSE' ? { code: running } : (await ask('doctor')) === null ? 'another' : 'us';
    const rest =
      holder === 'us'
        ? await examinePublicUrl(look, runningLook(look, ask))
        : skippedPublicUrl('Nothing of ours listens on the public port.');
    return [checkPublicPort(address, holder), ...rest];
  } finally {
    await own.stop();
  }
}

async function examinePublicUrl(look: Look, through: PublicLook): Promise<readonly Finding[]> {
  const { publicUrl, preflight } = look.config;
  if (publicUrl === null) return skippedPublicUrl('PUBLIC_URL is not set.');
  if (look.offline) return skippedPublicUrl(OFFLINE);
  if (!preflight) return skippedPublicUrl('PREFLIGHT=false says that this machine cannot reach it.');
  const certificate = await checkCertificate(publicUrl, look.timeoutMs, look.now());
  return [certificate, ...(await checkPublicUrl(publicUrl, through))];
}

/** The server as far as the public URL needs it, for as long as the look lasts; the port must be free. */
function ownListener({ config, timeoutMs }: Look): {
  start(): Promise<unknown>;
  stop(): Promise<void>;
  readonly look: PublicLook;
} {
  const key = randomBytes(32);
  const healthProof = (nonce: string): string => createHmac('sha256', key).update(nonce).digest('base64url');
  const { publicUrl, twilioAccountSid: accountSid, twilioAuthToken: authToken, twilioNumber: number } = config;
  const carrier: Carrier | null =
    publicUrl !== null && accountSid !== null && authToken !== null && number !== null
      ? createTwilioCarrier({
          ...{ accountSid, authToken, number, publicUrl, healthProof },
          ...{ clock: systemClock, logger: SILENT, requestTimeoutMs: timeoutMs },
        })
      : null;
  const server = createPublicServer({
    host: config.host,
    port: config.port,
    webhooks: carrier?.webhooks ?? [],
    sockets: carrier?.sockets ?? [],
    healthProof,
    logger: SILENT,
  });
  const stream = async (): Promise<string> => {
    await carrier?.preflight();
    return 'A signed WebSocket opens through the public URL.';
  };
  return {
    start: () => server.start(),
    stop: async () => {
      await server.stop();
      carrier?.close();
    },
    look: {
      health: () => checkHealth({ publicUrl: publicUrl ?? '', healthProof, timeoutMs }),
      stream: carrier === null ? null : stream,
      noStream: 'It needs the settings of Twilio.',
    },
  };
}

type Ask = (nonce: string) => Promise<string | null>;

/** What the Switchboard that listens there answers to a nonce; null when none does. */
function proofOfRunning(url: string, timeoutMs: number): Ask {
  return async (nonce) => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${url}/health?nonce=${nonce}`, { redirect: 'manual', signal });
      return response.status === 200 ? proofIn(await response.text()) : null;
    } catch {
      return null;
    }
  };
}

/**
 * Beside a running server, which alone can mint a token that opens a stream: an upgrade with none is refused by that server with
 * 403, where a proxy that forwards no upgrades gives 404 or something of its own.
 */
function runningLook({ config, timeoutMs }: Look, ask: Ask): PublicLook {
  const publicUrl = config.publicUrl ?? '';
  const token = randomBytes(24).toString('base64url');
  const through = `${toSocketUrl(publicUrl)}${STREAM_PATH}${token}`;
  const signature = config.twilioAuthToken === null ? '' : signUpgrade(config.twilioAuthToken, through);
  const stream = async (): Promise<string> => {
    const direct = `${toSocketUrl(localUrl(config))}${STREAM_PATH}${token}`;
    const here = await tryUpgrade(direct, signature, timeoutMs);
    if (here.kind !== 'refused' || here.status !== 403)
      throw new ConfigError(
        'The server that runs here takes no calls. Look at its log, and restart it with the settings that it misses.',
      );
    const result = await tryUpgrade(through, signature, timeoutMs);
    if (result.kind === 'opened' || (result.kind === 'refused' && result.status === 403))
      return 'A WebSocket gets through to the running server, which refused it for want of a call.';
    throw new ConfigError(upgradeSentence(publicUrl, result), { settings: ['PUBLIC_URL'] });
  };
  return {
    health: () => checkHealth({ publicUrl, healthProof: async (nonce) => (await ask(nonce)) ?? '', timeoutMs }),
    stream,
    noStream: '',
  };
}

async function examinePrivatePort({ config, timeoutMs }: Look): Promise<Finding> {
  const address = { host: config.mcpHost, port: config.mcpPort };
  return checkPrivatePort(
    address,
    await holderOf(address, () => isPrivateListener(address, config.mcpAuthToken, timeoutMs)),
  );
}

async function examineAccounts(look: Look): Promise<readonly Finding[]> {
  if (look.offline)
    return ['clock', 'Twilio account', 'Twilio number', 'speech model'].map((check) => skipped(check, OFFLINE));
  const [twilio, model] = await Promise.all([examineTwilio(look), examineModel(look)]);
  return [...twilio, model];
}

async function examineTwilio({ config, timeoutMs, now }: Look): Promise<readonly Finding[]> {
  const { twilioAccountSid: accountSid, twilioAuthToken: authToken, twilioNumber: number } = config;
  if (accountSid === null || authToken === null || number === null)
    return ['clock', 'Twilio account', 'Twilio number'].map((check) =>
      skipped(check, 'The settings of Twilio are missing.'),
    );
  const { findings, skewMs } = await probeAccount({
    ...{ accountSid, authToken, number, timeoutMs, now },
    apiKey: config.twilioApiKey ?? undefined,
    apiSecret: config.twilioApiSecret ?? undefined,
    apiBaseUrl: config.twilioApiBaseUrl ?? undefined,
  });
  return [checkClock(skewMs), ...findings];
}

async function examineModel({ config, timeoutMs }: Look): Promise<Finding> {
  if (config.openaiApiKey === null) return skipped('speech model', 'OPENAI_API_KEY is not set.');
  const look = await probeSession({
    apiKey: config.openaiApiKey,
    url: config.openaiWebsocketUrl,
    model: config.openaiRealtimeModel,
    dialect: config.openaiRealtimeDialect,
    session: {
      voice: config.openaiVoice,
      transcriptionModel: config.openaiTranscriptionModel === 'off' ? null : config.openaiTranscriptionModel,
      noiseReduction: config.openaiNoiseReduction === 'off' ? null : config.openaiNoiseReduction,
      turnDetection: config.turnDetection,
      vadThreshold: config.vadThreshold,
    },
    timeoutMs,
    clock: systemClock,
  });
  return checkModel(look);
}

/** The code of the network's error behind one of ours. */
function codeOf(error: unknown): string {
  const cause = error instanceof ConfigError ? error.cause : error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown';
}
