import type { CallId } from '../../call/words.ts';
import type { Switchboard } from '../../switchboard/port.ts';
import { RequestFailure } from '../failure.ts';
import { INVALID_PARAMS } from '../json-rpc.ts';
import { callUri, isTranscriptionUri, LATEST_URI, LIST_URI } from './transcriptions.ts';

/** A client has no use for more, and a faulty one must not fill the memory. */
const MAX_SUBSCRIPTIONS = 1000;

export interface Announce {
  updated(uri: string): void;
  listChanged(): void;
}

/** Which resources one client wants to hear of, and the switchboard's changes as news of them. */
export class Subscriptions {
  readonly #wanted = new Set<string>();
  /** Unknown until a call is placed while we watch: until then any call may be the latest. */
  #latest: CallId | null = null;
  #unwatch: (() => void) | null = null;

  /** Throws a RequestFailure when the URI is none of ours. */
  subscribe(uri: string): void {
    if (!isTranscriptionUri(uri))
      throw new RequestFailure(INVALID_PARAMS, `There is no resource ${uri} to subscribe to.`, null);
    if (this.#wanted.size >= MAX_SUBSCRIPTIONS)
      throw new RequestFailure(INVALID_PARAMS, 'Too many subscriptions.', null);
    this.#wanted.add(uri);
  }

  unsubscribe(uri: string): void {
    this.#wanted.delete(uri);
  }

  /** Announces until `stop`. */
  start(switchboard: Switchboard, announce: Announce): void {
    this.stop();
    this.#unwatch = switchboard.watch(({ callId, kind }) => {
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
  }
}
