/** The one file that knows every part: settings → adapters → switchboard → edges. What it starts it stops, in reverse order. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createOutside, type Outside, settingsOf } from './adapters.ts';
import type { Address, App } from './app.ts';
import { PRICES } from './call/prices.ts';
import { TIMING } from './call/timing.ts';
import type { Via } from './call/words.ts';
import type { Carrier } from './carriers/carrier.ts';
import type { AppTiming } from './config/app-timing.ts';
import { type Config, type ConfigReading, requireForCalls, usualVia } from './config/config.ts';
import { type PricesReading, readPricesFile } from './config/prices-file.ts';
import { keptApart, leadsToSimulators } from './config/simulated.ts';
import { ConfigError, UpstreamError } from './errors.ts';
import { freePort } from './http/free-port.ts';
import type { Listener } from './http/listener.ts';
import type { Metrics } from './http/metrics.ts';
import { openMetrics } from './http/private-server.ts';
import { createPublicServer, type PublicServer } from './http/server.ts';
import { offerOf } from './mcp/offer.ts';
import type { Systems } from './mcp/tool.ts';
import type { Model } from './models/model.ts';
import { type Offices, openOffices } from './offices/offices.ts';
import { createPrivateListener } from './private-listener.ts';
import { type SimulatedOffices, startSimulatedOffices, wantedOffices } from './simulator/offices.ts';
import { startWorld, type World } from './simulator/world.ts';
import { type AuditFile, openAuditFile } from './store/files/audit-file.ts';
import { openRecordingFolder } from './store/files/recordings.ts';
import { openTranscriptFolder } from './store/files/transcripts.ts';
import { openSqliteStore } from './store/sqlite/store.ts';
import type { Store } from './store/store.ts';
import { type Archive, createArchive } from './switchboard/archive.ts';
import { calmLogger } from './switchboard/calm-logger.ts';
import { type Clock, systemClock } from './switchboard/clock.ts';
import type { Ringing } from './switchboard/inbound.ts';
import { lateSwitchboard } from './switchboard/late-switchboard.ts';
import type { Logger } from './switchboard/logger.ts';
import type { Switchboard } from './switchboard/port.ts';
import { identifyDialled } from './switchboard/stranded.ts';
import { createSwitchboard, type RunningSwitchboard } from './switchboard/switchboard.ts';
import { VERSION } from './version.ts';

export interface ComposeOptions {
  readonly reading: ConfigReading;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Start the private listener as well, and count what happens. */
  readonly privateListener?: boolean;
  /** Why the public listener must not be started yet; null when it may. Asked at each try. */
  readonly mayListen?: () => ConfigError | null;
  /** How long a port that is taken, or a store that cannot be opened, is left alone before the next try. */
  readonly retryMs?: number;
  readonly timing?: AppTiming;
  /** Most pages that the store's file may have, to be changed at any time; 0 for as many as there are. */
  readonly storePages?: Int32Array;
}

const RETRY_MS = 15_000;
const PORT_TRIES = 5;
const RETIRED =
  'The client that started this Switchboard process has left, so it takes no new calls; another one takes over when the live ones have ended. Try again then, with the same idempotencyKey.';
/** Longer than a write waits for the lock of another process. */
const CLOSE_STORE_MS = 10_000;

export function compose(options: ComposeOptions): App {
  return new Composition(options);
}

type Part = 'simulators' | 'store' | 'listener' | 'private listener';

class Composition implements App {
  readonly switchboard: Switchboard;
  readonly started: Promise<void>;
  readonly audit: AuditFile;
  readonly systems: Systems;
  readonly #options: ComposeOptions;
  readonly #clock: Clock;
  /** For the parts that strangers can make write. */
  readonly #calm: Logger;
  readonly #proofKey = randomBytes(32);
  readonly #offices: Offices;
  readonly #late: ReturnType<typeof lateSwitchboard>;
  readonly #prices: PricesReading;
  #config: Config;
  #world: World | null = null;
  #simulatedOffices: SimulatedOffices | null = null;
  #store: Store | null = null;
  #running: RunningSwitchboard | null = null;
  #server: PublicServer | null = null;
  #outside: Outside | null = null;
  #archive: Archive | null = null;
  #stopArchive: () => void = () => undefined;
  /** Why a part could not be started, in sentences. */
  readonly #troubles = new Map<Part, ConfigError>();
  /** Null when nobody can ask for figures: then none are kept. */
  #metrics: Metrics | null = null;
  #private: Listener | null = null;
  #publicAddress: Address | null = null;
  #privateAddress: Address | null = null;
  #cancelRetry: () => void = () => undefined;
  #starting: Promise<void>;
  #retired = false;
  #stopped = false;
  #tried = false;
  #choosesPort = false;

  constructor(options: ComposeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#calm = calmLogger(options.logger, this.#clock);
    this.#config = keptApart(options.reading.config);
    this.#prices = readPricesFile(this.#config.pricesFile, PRICES);
    if (this.#prices.complaint !== null) options.logger.warn({}, this.#prices.complaint);
    this.#late = lateSwitchboard(this.#config.simulate, () => this.#notReady());
    this.switchboard = this.#late.switchboard;
    this.#offices = openOffices(() => this.#config, this.#clock, this.#calm);
    this.systems = this.#offices.systems;
    this.audit = openAuditFile(join(this.#config.dataDir, 'audit.jsonl'));
    this.started = this.#start();
    this.#starting = this.started;
  }

  status(): readonly string[] {
    const { complaint } = this.#prices;
    return [
      ...[...this.#troubles.values()].map((trouble) => trouble.message),
      ...(complaint === null ? [] : [complaint]),
    ];
  }

  readiness(): readonly string[] {
    if (this.#stopped) return ['The server is shutting down and takes no new calls.'];
    if (this.#retired) return [RETIRED];
    if (!this.#tried) return ['The server is starting.'];
    const reasons = [...this.#troubles]
      .filter(([part]) => part !== 'private listener')
      .map(([, trouble]) => trouble.message);
    const storeTrouble = this.#store?.trouble() ?? null;
    if (storeTrouble !== null) reasons.push(storeTrouble);
    try {
      requireForCalls(this.#config, this.#options.reading.complaints);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : 'Settings are missing.');
    }
    return reasons;
  }

  listening(): { readonly public: Address | null; readonly private: Address | null } {
    return { public: this.#publicAddress, private: this.#privateAddress };
  }

  liveCalls(): number {
    return this.#running?.liveCalls() ?? 0;
  }

  wake(): void {
    this.#cancelRetry();
    this.#starting = this.#starting.then(() => this.#start());
  }

  retire(): void {
    this.#retired = true;
  }

  #notReady(): ConfigError | null {
    return this.#troubles.get('simulators') ?? this.#troubles.get('store') ?? null;
  }

  /** Starts what is not started yet. Tried again later for as long as something is missing. */
  async #start(): Promise<void> {
    await this.#attempt('simulators', () => this.#startWorld());
    await this.#attempt('store', () => this.#startSwitchboard());
    await this.#attempt('listener', () => this.#startListener());
    this.#tried = true;
    await this.#attempt('private listener', () => this.#startPrivate());
    if (this.#stopped || this.#troubles.size === 0) return;
    this.#cancelRetry = this.#clock.setTimer(() => this.wake(), this.#options.retryMs ?? RETRY_MS);
  }

  async #attempt(part: Part, start: () => Promise<void>): Promise<void> {
    if (this.#stopped) return;
    try {
      await start();
      this.#troubles.delete(part);
    } catch (error) {
      const trouble =
        error instanceof ConfigError ? error : new ConfigError(`The ${part} could not be started.`, { cause: error });
      if (this.#troubles.get(part)?.message !== trouble.message)
        this.#options.logger.warn({ err: error, part }, trouble.message);
      this.#troubles.set(part, trouble);
    }
    this.#late.changed();
  }

  /** With `--simulate` the telephone and the model are ours, unless a simulated world is running already. */
  async #startWorld(): Promise<void> {
    const config = this.#config;
    if (!config.simulate || this.#simulatedOffices) return;
    if (!leadsToSimulators(config)) this.#world ??= await startWorld({ scenario: 'reservation' });
    this.#simulatedOffices = await startSimulatedOffices({ ...wantedOffices(config), answer: this.#world?.answer });
    this.#config = { ...config, ...this.#world?.settings, ...this.#simulatedOffices.settings };
    this.#choosesPort ||= config.publicUrl === null;
    if (this.#choosesPort) await this.#choosePort();
  }

  /** Nobody chose an address for simulated calls, so any port that is free will do. */
  async #choosePort(): Promise<void> {
    const port = await freePort(this.#config.host);
    this.#config = { ...this.#config, port, publicUrl: `http://127.0.0.1:${port}` };
  }

  async #startSwitchboard(): Promise<void> {
    if (this.#running) return;
    const { logger, privateListener } = this.#options;
    if (privateListener) this.#metrics ??= await openMetrics({ simulated: this.#config.simulate });
    const timing = this.#options.timing ?? {};
    const busy = timing.storeBusyMs === undefined ? {} : { busyTimeoutMs: timing.storeBusyMs };
    this.#store = await openSqliteStore({ dataDir: this.#config.dataDir, pages: this.#options.storePages, ...busy });
    const folder = openRecordingFolder(join(this.#config.dataDir, 'recordings'));
    const rescueFolder = join(this.#config.dataDir, 'rescued');
    const transcripts = openTranscriptFolder(join(this.#config.dataDir, 'transcripts'));
    const archive = createArchive({
      store: this.#store,
      folder,
      transcripts,
      rescueFolder,
      clock: this.#clock,
      logger,
    });
    this.#archive = archive;
    const running = createSwitchboard({
      archive,
      settings: settingsOf(this.#config, timing),
      timing: { call: { ...TIMING, ...timing.call }, storeRetriesMs: timing.storeRetriesMs, againMs: timing.rescueMs },
      store: this.#store,
      rescueFolder,
      outside: (via) => this.#ready(via),
      carriers: async () => (await this.#anything()).carriers,
      clock: this.#clock,
      meter: this.#metrics?.meter,
      logger,
      prices: this.#prices.prices,
    });
    this.#metrics?.watchCost(() => running.liveCostUsd());
    this.#running = running;
    this.#late.ready(running);
    // Needs what is started after it, so it is not waited for.
    running
      .recover()
      .catch((error: unknown) => logger.error({ err: error }, 'calls of a dead process were not looked after'));
    this.#stopArchive = archive.keep(this.#config.retainDays);
  }

  /** What a call is placed with, once there is everything for it. */
  async #ready(via: Via = usualVia(this.#config)): Promise<{ readonly carrier: Carrier; readonly model: Model }> {
    await this.started;
    if (this.#retired) throw new UpstreamError(RETIRED, { retryable: true });
    requireForCalls(this.#config, this.#options.reading.complaints, via);
    const trouble = this.#troubles.get('listener');
    if (trouble) throw trouble;
    const carrier = this.#outside?.carriers.find(({ name }) => name === via);
    if (!this.#outside || !carrier) throw new ConfigError('Calls cannot be placed yet.');
    return { carrier, model: this.#outside.model };
  }

  /** To hang a call up nothing needs to reach us, and a line must not stay up for a setting that has nothing to do with it. */
  async #anything(): Promise<Outside> {
    await this.started;
    if (this.#outside) return this.#outside;
    requireForCalls(this.#config, this.#options.reading.complaints);
    throw new ConfigError('Calls cannot be hung up yet.');
  }

  async #startListener(): Promise<void> {
    for (let triesLeft = this.#choosesPort ? PORT_TRIES : 1; ; triesLeft -= 1) {
      try {
        return await this.#listen();
      } catch (error) {
        if (triesLeft <= 1) throw error;
        // Another program took the port between our look at it and now.
        this.#closeCarriers();
        this.#outside = null;
        this.#server = null;
        await this.#choosePort();
      }
    }
  }

  async #listen(): Promise<void> {
    const { logger, mayListen } = this.#options;
    const notYet = mayListen?.() ?? null;
    if (notYet !== null) throw notYet;
    const config = this.#config;
    this.#outside ??= this.#createOutside(config);
    const carriers = this.#outside?.carriers ?? [];
    this.#server ??= createPublicServer({
      host: config.host,
      port: config.port,
      webhooks: carriers.flatMap(({ webhooks }) => webhooks),
      sockets: carriers.flatMap(({ sockets }) => sockets),
      healthProof: (nonce) => this.#proof(nonce),
      logger: this.#calm,
    });
    if (this.#publicAddress) return;
    const { port } = await this.#server.start();
    this.#publicAddress = { host: config.host, port };
    logger.info({ host: config.host, port }, 'media server is listening');
  }

  async #startPrivate(): Promise<void> {
    const metrics = this.#metrics;
    if (!metrics || this.#privateAddress) return;
    const { logger } = this.#options;
    const { mcpHost: host, simulate } = this.#config;
    this.#private ??= await createPrivateListener({
      config: this.#config,
      offer: offerOf(this.#options.reading),
      metrics,
      readiness: () => ({ reasons: this.readiness(), liveCalls: this.liveCalls(), simulated: simulate }),
      mcp: {
        switchboard: this.switchboard,
        ...this.systems,
        version: VERSION,
        logger,
        status: () => this.status(),
        audit: this.audit,
      },
      logger: this.#calm,
    });
    const { port } = await this.#private.start();
    this.#privateAddress = { host, port };
    logger.info({ host, port }, 'private listener is listening');
  }

  async #take(call: Ringing): Promise<void> {
    if (this.#retired || !this.#running) throw new UpstreamError(RETIRED, { retryable: true });
    await this.#running.take(call);
  }

  #proof(nonce: string): string {
    return createHmac('sha256', this.#proofKey).update(nonce).digest('base64url');
  }

  /** Null while settings are missing: the tools say which. */
  #createOutside(config: Config): Outside | null {
    return createOutside({
      config,
      timing: this.#options.timing ?? {},
      onRecording: async (recording) => (await this.#archive?.hearOf(recording)) ?? 'unknown',
      identify: async (query) =>
        this.#store ? await identifyDialled(this.#store, { ...query, carrier: 'twilio' }) : 'unsure',
      healthProof: (nonce) => this.#proof(nonce),
      offices: this.#offices,
      take: (call) => this.#take(call),
      clock: this.#clock,
      logger: this.#calm,
    });
  }

  async stop(graceMs: number, hurry?: Promise<unknown>): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry();
    await this.#starting;
    this.#stopArchive();
    await this.#running?.stop(graceMs, hurry);
    await this.#server?.stop();
    this.#closeCarriers();
    this.#offices.close();
    await this.#closeStore();
    // Last of ours, so that the end of the calls can still be watched.
    await this.#private?.stop();
    await this.audit.close();
    this.#metrics?.close();
    await this.#simulatedOffices?.close();
    await this.#world?.close();
  }

  #closeCarriers(): void {
    for (const carrier of this.#outside?.carriers ?? []) carrier.close();
  }

  /** A disk that has stopped answering must not keep the process from its end. */
  async #closeStore(): Promise<void> {
    let cancel = (): void => undefined;
    const tooLong = new Promise<void>((resolve) => {
      cancel = this.#clock.setTimer(resolve, CLOSE_STORE_MS);
    });
    await Promise.race([this.#store?.close(), tooLong]);
    cancel();
  }
}
