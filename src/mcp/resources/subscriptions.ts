import type { CallId } from '../../call/words.ts';
import { RequestFailure } from '../failure.ts';
import { INVALID_PARAMS } from '../json-rpc.ts';
import type { Sources } from '../tool.ts';
import { ASTERISK_URIS } from './asterisk.ts';
import { callUri, isTranscriptionUri, LATEST_URI, LIST_URI } from './transcriptions.ts';

/** A client has no use for more, and a faulty one must not fill the memory. */
const MAX_SUBSCRIPTIONS = 1000;

export interface Announce {
  updated(uri: string): void;
  listChanged(): void;
}

/** Which resources one client wants to hear of, and the switchboard's and the telephone system's changes as news of them. */
export class Subscriptions {
  readonly #sources: Sources;
  readonly #wanted = new Set<string>();
  /** Unknown until a call is placed while we watch: until then any call may be the latest. */
  #latest: CallId | null = null;
  #unwatch: (() => void) | null = null;
  #unwatchAsterisk: (() => void) | null = null;
  #announce: Announce | null = null;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Throws a RequestFailure when the URI is none of ours. */
  subscribe(uri: string): void {
    const isOfAsterisk = Object.values(ASTERISK_URIS).includes(uri);
    if (!isTranscriptionUri(uri) && !isOfAsterisk)
      throw new RequestFailure(INVALID_PARAMS, `There is no resource ${uri} to subscribe to.`, null);
    if (this.#wanted.size >= MAX_SUBSCRIPTIONS)
      throw new RequestFailure(INVALID_PARAMS, 'Too many subscriptions.', null);
    this.#wanted.add(uri);
    if (isOfAsterisk) this.#watchAsterisk();
  }

  unsubscribe(uri: string): void {
    this.#wanted.delete(uri);
  }

  /** Announces until `stop`. */
  start(announce: Announce): void {
    this.stop();
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
    this.#unwatchAsterisk?.();
    this.#unwatchAsterisk = null;
    this.#announce = null;
  }

  /** Only for who wants to hear of it: a telephone system is not connected to for nothing. */
  #watchAsterisk(): void {
    this.#unwatchAsterisk ??= this.#sources.asterisk().watch((list) => {
      const uri = ASTERISK_URIS[list];
      if (this.#wanted.has(uri)) this.#announce?.updated(uri);
    });
  }
}
