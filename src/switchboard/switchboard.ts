import { randomUUID } from 'node:crypto';
import { PRICES, type Prices } from '../call/prices.ts';
import type { Timing } from '../call/timing.ts';
import { type Brief, type CallId, type CallState, type Limits, VIAS, type Via } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { UpstreamError, UserInputError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import type { CallRecord, NewCall, Room, Store } from '../store/store.ts';
import type { Archive } from './archive.ts';
import type { Bridge } from './bridge.ts';
import { type Clock, within } from './clock.ts';
import { type Costs, createCosts } from './costs.ts';
import { inboundBrief, type Ringing } from './inbound.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import { createNews, type News } from './news.ts';
import { type OpenedCall, openCall } from './opened-call.ts';
import { untilFull, untilGap } from './page.ts';
import type { CallFacts, LinePage, Placed, PlaceRequest, Progress, Recordings, Switchboard } from './port.ts';
import { recover } from './recovery.ts';
import { briefOf, checkVoice, fingerprintOf, limitsOf, newCallOf, positionOf } from './requests.ts';
import { createRescue, type Rescue } from './rescue.ts';
import type { SwitchboardSettings } from './settings.ts';
import { isStranded } from './stranded.ts';
import type { TapMaker } from './tap.ts';

export interface SwitchboardOptions {
  readonly settings: SwitchboardSettings;
  readonly store: Store;
  /** What calls are placed with. Rejects with a ConfigError that says what is missing for that. */
  readonly outside: (via?: Via) => Promise<{ readonly carrier: Carrier; readonly model: Model }>;
  /** With what calls of dead processes are hung up. Rejects with a ConfigError when there is nothing. */
  readonly carriers: () => Promise<readonly Carrier[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What calls cost; without it the built-in table. */
  readonly prices?: Prices;
  readonly archive: Archive;
  /** What listens to each call besides. */
  readonly taps?: readonly TapMaker[];
  /** Folder for what the store cannot take; without it that is lost. */
  readonly rescueFolder?: string | undefined;
  /** The usual times where they are absent; milliseconds. */
  readonly timing?:
    | {
        readonly call?: Timing;
        readonly storeRetriesMs?: readonly number[] | undefined;
        readonly againMs?: number | undefined;
      }
    | undefined;
  /** Where figures go, when somebody asks for them. */
  readonly meter?: Meter | undefined;
}

/** The switchboard that `compose` starts and stops. */
export interface RunningSwitchboard extends Switchboard {
  /** Takes a call that rings with us. Rejects when it cannot; whoever rings goes on elsewhere then. */
  take(call: Ringing): Promise<void>;
  /** Hangs up what dead processes leave behind, now and from time to time. Resolves when the switchboard stops. */
  recover(): Promise<void>;
  /** Takes no more calls, and says goodbye in live ones until `graceMs` (or `hurry`) is over. Resolves within about 5 s of that. */
  stop(graceMs: number, hurry?: Promise<unknown>): Promise<void>;
  liveCalls(): number;
  /** What the live calls have cost so far by the price table; what has no price is not in it. */
  liveCostUsd(): Promise<number>;
}

/** How long `place` waits for the carrier's answer, so that a refusal is told at once. */
const PLACE_WAIT_MS = 3_000;
const PAGE_LINES = 200;
/** A call of another process is looked at so often. */
const POLL_MS = 1_000;
const FORCED_END_MS = 5_000;
/** For what the store has not taken until then. */
const RESCUE_MS = 4_000;
const HOUR_MS = 3_600_000;

export function createSwitchboard(options: SwitchboardOptions): RunningSwitchboard {
  return new LiveSwitchboard(options);
}

class LiveSwitchboard implements RunningSwitchboard {
  readonly simulated: boolean;
  readonly recordings: Recordings;
  readonly #options: SwitchboardOptions;
  readonly #live = new Map<CallId, Bridge>();
  readonly #news: News = createNews();
  readonly #stopping = new AbortController();
  /** The store is not waited for any more. */
  readonly #hurry = new AbortController();
  readonly #rescue: Rescue | undefined;
  readonly #costs: Costs;
  readonly #placing = new Set<Promise<unknown>>();

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.simulated = options.settings.simulated;
    const { rescueFolder: folder } = options;
    this.#rescue =
      folder === undefined ? undefined : createRescue({ ...options, ...options.timing, folder, news: this.#news });
    this.recordings = options.archive.recordings;
    this.#costs = createCosts({ ...options, prices: options.prices ?? PRICES });
    this.#news.listen(({ callId, kind }) => {
      if (kind === 'ended' && !this.#live.has(callId)) void this.#costs.settle(callId);
    });
  }

  async place(request: PlaceRequest): Promise<Placed> {
    const { settings, store, clock } = this.#options;
    this.#refuseWhenStopping();
    const idempotencyKey = request.idempotencyKey ?? null;
    const fingerprint = fingerprintOf(request);
    // Before anything that may fail now: what was placed stays placed, and whoever asks must hear of it.
    const earlier = idempotencyKey === null ? null : await store.placedUnder(idempotencyKey, fingerprint);
    if (earlier) return this.#placedBefore(earlier);
    const via = request.via ?? settings.via ?? 'twilio';
    const brief = briefOf(request, settings, via);
    const limits = limitsOf(request, settings.limits);
    const { carrier, model } = await this.#options.outside(via);
    checkVoice(brief.voice, model.voices);
    if (settings.preflight) await carrier.preflight();
    this.#refuseWhenStopping();
    const callId = randomUUID() as CallId;
    const created = await this.#writeDown(
      newCallOf(
        { callId, brief, limits, carrier, model },
        { ...settings, createdAtMs: clock.wall(), idempotencyKey, fingerprint },
      ),
      { live: settings.maxConcurrentCalls, recent: settings.maxCallsPerHour, recentSinceMs: clock.wall() - HOUR_MS },
    );
    switch (created.status) {
      case 'created':
        this.#refuseWhenStopping();
        return this.#startCall(callId, brief, limits, carrier, model);
      case 'existing':
      case 'conflict':
      case 'purged':
        return this.#placedBefore({ status: created.status, callId: created.callId });
      case 'full-live':
        throw new UserInputError(
          `There are already ${settings.maxConcurrentCalls} calls at the same time, which is the most allowed. Wait until one has ended, or raise MAX_CONCURRENT_CALLS.`,
        );
      case 'full-recent':
        throw new UserInputError(
          `${settings.maxCallsPerHour} calls were placed within the last hour, which is the most allowed. Try again later, or raise MAX_CALLS_PER_HOUR.`,
        );
      default:
        return created.status satisfies never;
    }
  }

  /** What is written down while the server stops is called off again, and waited for: nobody shall wonder whether it was dialled. */
  #writeDown(call: NewCall, room: Room): ReturnType<Store['createCall']> {
    const write = async (): ReturnType<Store['createCall']> => {
      const created = await this.#options.store.createCall(call, room);
      if (created.status === 'created' && this.#stopping.signal.aborted) await this.#callOff(call.callId);
      return created;
    };
    const writing = write();
    this.#placing.add(writing);
    const over = (): boolean => this.#placing.delete(writing);
    writing.then(over, over);
    return writing;
  }

  async #startCall(callId: CallId, brief: Brief, limits: Limits, carrier: Carrier, model: Model): Promise<Placed> {
    const bridge = this.#open({ callId, brief, limits, carrier, model });
    bridge.start();
    await within(bridge.bound, PLACE_WAIT_MS, this.#options.clock);
    if (bridge.state() === 'ended' || bridge.state() === 'ending') await this.#throwRefusal(callId, bridge);
    const carrierCallId = bridge.carrierCallId();
    return { callId, carrier: carrier.name, carrierCallId, state: bridge.state(), repeated: false };
  }

  #open(call: OpenedCall): Bridge {
    const { callId, carrier } = call;
    const { logger, settings } = this.#options;
    const { bridge, log } = openCall(
      {
        ...this.#options,
        ...this.#options.timing,
        rescue: this.#rescue,
        hurry: this.#hurry.signal,
        costs: this.#costs,
        news: this.#news,
      },
      call,
    );
    this.#live.set(callId, bridge);
    void bridge.ended.then(() => {
      this.#live.delete(callId);
      log.sum();
    });
    logger.info({ callId, carrier: carrier.name, simulated: settings.simulated }, 'call placed');
    this.#news.tell({ callId, kind: 'placed' });
    return bridge;
  }

  async take(call: Ringing): Promise<void> {
    const { settings, clock, outside } = this.#options;
    this.#refuseWhenStopping();
    const { carrier } = call;
    const { model } = await outside(VIAS.find((via) => via === carrier.name));
    const callId = randomUUID() as CallId;
    const opened = { callId, ...inboundBrief(call, settings), carrier, model };
    const created = await this.#writeDown(
      newCallOf(opened, {
        ...{ simulated: settings.simulated, createdAtMs: clock.wall() },
        ...{ idempotencyKey: null, fingerprint: '', carrierCallId: call.uniqueId },
      }),
      // The hour's limit is for what we place.
      { live: settings.maxConcurrentCalls, recent: Number.MAX_SAFE_INTEGER, recentSinceMs: clock.wall() },
    );
    if (created.status !== 'created') throw new UpstreamError('There are too many calls at once.', { retryable: true });
    this.#refuseWhenStopping();
    this.#open(opened).start();
  }

  /** A carrier that refuses at once is the assistant's to hear of at once. */
  async #throwRefusal(callId: CallId, bridge: Bridge): Promise<void> {
    await bridge.ended;
    const record = await this.#options.store.call(callId);
    if (record?.outcome === 'refused')
      throw new UpstreamError(record.reason ?? 'The carrier refused the call.', { retryable: false });
  }

  #refuseWhenStopping(): void {
    if (this.#stopping.signal.aborted)
      throw new UpstreamError('The server is shutting down and takes no new calls.', { retryable: true });
  }

  /** Of a call that was written down while the server began to stop: nobody would be left to hang it up. */
  async #callOff(callId: CallId): Promise<void> {
    const { store, clock, logger } = this.#options;
    const reason = 'The server was stopped before the call was dialled.';
    const change = { state: 'ended', outcome: 'canceled', reason, endedAtMs: clock.wall() } as const;
    await store
      .updateCall(callId, change)
      .catch((err: unknown) => logger.error({ callId, err }, 'a call that was not dialled is still listed'));
  }

  async #placedBefore({ status, callId }: Earlier): Promise<Placed> {
    if (status === 'purged') {
      throw new UserInputError(
        `This idempotencyKey has placed call ${callId} before, of which nothing is kept any more; nothing was dialled now. Use a new key for a new call.`,
      );
    }
    if (status === 'conflict') {
      throw new UserInputError(
        'This idempotencyKey was used for a call with other arguments. Use a new key for a new call.',
      );
    }
    const record = await this.#record(callId);
    const { carrier, carrierCallId, state } = record;
    return { callId, carrier, carrierCallId, state, repeated: true };
  }

  async end(callId: string, mode: 'polite' | 'now'): Promise<{ state: CallState; message: string }> {
    const record = await this.#record(callId);
    if (record.state === 'ended') return { state: 'ended', message: 'The call had already ended.' };
    const bridge = this.#live.get(record.callId);
    if (!bridge) {
      if (isStranded(record)) return { state: record.state, message: record.reason ?? '' };
      throw new UserInputError(
        'This call belongs to another Switchboard process on this machine; end it from the client that placed it.',
      );
    }
    bridge.end(mode);
    const message =
      mode === 'polite' ? 'The agent says goodbye, then the line is put down.' : 'The line is being put down.';
    return { state: bridge.state(), message };
  }

  async call(callId: string): Promise<CallFacts> {
    const { store } = this.#options;
    const record = await this.#record(callId);
    const [usage, timeline] = await Promise.all([store.usage(record.callId), store.notes(record.callId)]);
    return { ...(await this.#costs.withCost(record)), usage, timeline };
  }

  async lines(callId: string, query: { readonly cursor: number; readonly limit: number }): Promise<LinePage> {
    const record = await this.#record(callId);
    return this.#page(record, query.cursor, query.limit);
  }

  async calls(query: { readonly state?: CallState; readonly limit: number; readonly cursor?: string }) {
    const before = query.cursor === undefined ? undefined : positionOf(query.cursor);
    const records = await this.#options.store.calls({ state: query.state, limit: query.limit, before });
    const calls = await Promise.all(records.map((record) => this.#costs.withCost(record)));
    const last = calls.length === query.limit ? calls.at(-1) : undefined;
    return { calls, cursor: last ? String(last.position) : null };
  }

  async search(query: { readonly text: string; readonly limit: number; readonly cursor?: string }) {
    const offset = query.cursor === undefined ? 0 : positionOf(query.cursor);
    const matches = await this.#options.store.search({ text: query.text, limit: query.limit, offset });
    return { matches, cursor: matches.length === query.limit ? String(offset + matches.length) : null };
  }

  async waitFor(
    callId: string,
    query: { readonly cursor: number; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Progress> {
    const { clock } = this.#options;
    const untilMs = clock.now() + query.timeoutMs;
    const first = await this.#record(callId);
    for (;;) {
      const changed = this.#news.next(first.callId);
      try {
        const record = await this.#record(callId);
        const page = await this.#page(record, query.cursor, PAGE_LINES);
        const over = record.state === 'ended' || record.state !== first.state || page.lines.length > 0;
        const leftMs = untilMs - clock.now();
        if (over || leftMs <= 0 || query.signal?.aborted) {
          return { ...page, call: record, done: record.state === 'ended' && page.cursor >= record.lineCount };
        }
        await within(
          changed.promise,
          this.#live.has(record.callId) ? leftMs : Math.min(POLL_MS, leftMs),
          clock,
          query.signal,
        );
      } finally {
        changed.cancel();
      }
    }
  }

  watch(listener: Parameters<Switchboard['watch']>[0]): () => void {
    return this.#news.listen(listener);
  }

  liveCalls(): number {
    return this.#live.size;
  }

  liveCostUsd(): Promise<number> {
    return this.#costs.upToNow([...this.#live.keys()]);
  }

  async recover(): Promise<void> {
    const { store, clock, logger, meter } = this.#options;
    const { carriers } = this.#options;
    const takeIn = async (): Promise<unknown> => this.#rescue?.takeIn();
    await recover({ store, clock, logger, meter, takeIn, news: this.#news, carriers, stopping: this.#stopping.signal });
  }

  async stop(graceMs: number, hurry: Promise<unknown> = new Promise(() => undefined)): Promise<void> {
    this.#stopping.abort();
    const { clock } = this.#options;
    const calledOff = Promise.allSettled([...this.#placing]).then(() => undefined);
    const live = [...this.#live.values()];
    for (const bridge of live) bridge.drain(graceMs);
    const allEnded = Promise.all(live.map((bridge) => bridge.ended)).then(() => undefined);
    await Promise.race([within(allEnded, graceMs, clock), hurry]);
    for (const bridge of this.#live.values()) bridge.end('now');
    await within(allEnded, FORCED_END_MS, clock);
    await within(calledOff, PLACE_WAIT_MS, clock);
    this.#hurry.abort();
    await within(allEnded, RESCUE_MS, clock);
    this.#rescue?.stop();
  }

  async #record(callId: string): Promise<CallRecord> {
    const record = await this.#options.store.call(callId as CallId);
    if (!record) throw new UserInputError('There is no call with this callId. Use list-calls to find the right one.');
    return record;
  }

  /** A cursor beyond the end is at the end: whoever waits with it would otherwise miss the lines up to there. */
  async #page({ callId, lineCount, state }: CallRecord, cursor: number, limit: number): Promise<LinePage> {
    const from = Math.min(cursor, lineCount);
    const found = await this.#options.store.lines(callId, { from, limit });
    const lines = untilFull(state === 'ended' ? found : untilGap(found, from));
    return { lines, cursor: (lines.at(-1)?.index ?? from - 1) + 1 };
  }
}

type Earlier = NonNullable<Awaited<ReturnType<Store['placedUnder']>>>;
