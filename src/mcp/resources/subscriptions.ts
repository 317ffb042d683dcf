import type { CallId } from '../../call/words.ts';
import type { Toolset } from '../../config/schema.ts';
import { RequestFailure } from '../failure.ts';
import { INVALID_PARAMS } from '../json-rpc.ts';
import type { Sources } from '../tool.ts';
import { LIVE_RESOURCES, type LiveResources } from './live.ts';
import { callUri, isTranscriptionUri, LATEST_URI, LIST_URI } from './transcriptions.ts';

/** A client has no use for more, and a faulty one must not fill the memory. */
const MAX_SUBSCRIPTIONS = 1000;

export interface Announce {
  updated(uri: string): void;
  listChanged(): void;
}

/** Which resources one client wants to hear of, and the switchboard's and the telephone systems' changes as news of them. */
export class Subscriptions {
  readonly #sources: Sources;
  /** Those whose resources the client is offered. */
  readonly #toolsets: ReadonlySet<Toolset>;
  readonly #wanted = new Set<string>();
  /** Unknown until a call is placed while we watch: until then any call may be the latest. */
  #latest: CallId | null = null;
  #unwatch: (() => void) | null = null;
  readonly #unwatchLive = new Map<LiveResources, () => void>();
  #announce: Announce | null = null;

  constructor(sources: Sources, toolsets: ReadonlySet<Toolset>) {
    this.#sources = sources;
    this.#toolsets = toolsets;
  }

  /** Throws a RequestFailure when the client is offered no such resource, a ConfigError when its system is not configured. */
  subscribe(uri: string): void {
    const live = LIVE_RESOURCES.find(({ uris }) => uris.has(uri));
    const toolset = isTranscriptionUri(uri) ? 'voice' : live?.toolset;
    if (toolset === undefined || !this.#toolsets.has(toolset))
      throw new RequestFailure(INVALID_PARAMS, `There is no resource ${uri} to subscribe to.`, null);
    if (this.#wanted.size >= MAX_SUBSCRIPTIONS)
      throw new RequestFailure(INVALID_PARAMS, 'Too many subscriptions.', null);
    if (live !== undefined) this.#watchLive(live);
    this.#wanted.add(uri);
  }

  unsubscribe(uri: string): void {
    this.#wanted.delete(uri);
  }

  /** Announces until `stop`. */
  start(announce: Announce): void {
    // A client may have subscribed before it said that it is there: the telephone systems are watched on.
    this.#unwatch?.();
    this.#announce = announce;
    this.#unwatch = this.#sources.switchboard.watch(({ callId, kind }) => {
      if (kind === 'placed') {
        this.#latest = callId;
        announce.listChanged();
      }
      const touched = [LIST_URI, callUri(callId)];
      if (this.#latest === null || this.#latest === callId) touched.push(LATEST_URI);
      for (const uri of touched) if (this.#wanted.has(uri)) announce.updated(uri);
    });
  }

  stop(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    for (const unwatch of this.#unwatchLive.values()) unwatch();
    this.#unwatchLive.clear();
    this.#announce = null;
  }

  /** Only for who wants to hear of it: a telephone system is not connected to for nothing. */
  #watchLive(live: LiveResources): void {
    if (this.#unwatchLive.has(live)) return;
    const unwatch = live.watch(this.#sources, (uri) => {
      if (this.#wanted.has(uri)) this.#announce?.updated(uri);
    });
    this.#unwatchLive.set(live, unwatch);
  }
}
