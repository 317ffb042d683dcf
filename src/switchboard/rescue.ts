import { appendFile, mkdir, open, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallId, Line, Usage } from '../call/words.ts';
import { UpstreamError } from '../errors.ts';
import { thisProcess } from '../process-identity.ts';
import type { CallChange, Note, Store } from '../store/store.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { News } from './news.ts';
import { isAbandoned, type RescueFile, readRescueFileName, rescueFileName } from './rescue-files.ts';

/** One thing that a call wants written down; with an `id`, which is unique in its call, the store takes it once. */
export type Entry =
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'note'; readonly note: Note; readonly id?: string }
  | { readonly kind: 'usage'; readonly usage: Usage; readonly id?: string }
  | { readonly kind: 'change'; readonly change: CallChange };

/** Where is kept what the store could not take, until it can. Nothing here throws or rejects. */
export interface Rescue {
  /** Resolves when the entry is on disk beside the store, or stays in memory because that failed too. */
  keep(callId: CallId, entry: Entry): Promise<void>;
  /** Gives the store what was kept, by this process or by one that is dead. What it still cannot take stays, and is tried again later. */
  takeIn(): Promise<void>;
  /** No more is tried. */
  stop(): void;
}

const AGAIN_MS = 30_000;
/** A transcript of hours has some thousand lines: more than that is not kept in memory. */
const MOST_IN_MEMORY = 10_000;

export function writeEntry(store: Store, callId: CallId, entry: Entry): Promise<void> {
  switch (entry.kind) {
    case 'line':
      return store.putLine(callId, entry.line);
    case 'note':
      return store.addNote(callId, entry.note, entry.id);
    case 'usage':
      return store.addUsage(callId, entry.usage, entry.id);
    case 'change':
      return store.updateCall(callId, entry.change);
    default:
      return entry satisfies never;
  }
}

/**
 * Keeps entries in `folder`, for this user alone: one file a call and process, one JSON object a line. The watchers are told of what
 * the store has taken after all.
 */
export function createRescue(options: {
  readonly folder: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly news: News;
  /** How long the store is left alone before what was kept is given to it again. */
  readonly againMs?: number | undefined;
}): Rescue {
  return new FolderRescue(options);
}

class FolderRescue implements Rescue {
  readonly #options: Parameters<typeof createRescue>[0];
  readonly #us = thisProcess();
  #memory: { readonly callId: CallId; readonly entry: Entry }[] = [];
  #tail: Promise<void> = Promise.resolve();
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(options: Parameters<typeof createRescue>[0]) {
    this.#options = options;
  }

  keep(callId: CallId, entry: Entry): Promise<void> {
    return this.#inTurn(async () => {
      try {
        // What is in memory only goes first: a file is always older than the memory.
        const waiting = this.#memory.filter((kept) => kept.callId === callId);
        await this.#append(callId, [...waiting.map((kept) => kept.entry), entry]);
        if (waiting.length > 0) this.#memory = this.#memory.filter((kept) => kept.callId !== callId);
        this.#options.logger.warn({ callId, what: entry.kind }, 'what the store could not take was kept beside it');
      } catch (err) {
        if (this.#memory.length < MOST_IN_MEMORY) this.#memory.push({ callId, entry });
        this.#options.logger.error(
          { callId, err, what: entry.kind },
          'what the store could not take is in memory only',
        );
      }
      this.#later();
    });
  }

  takeIn(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        const left = await this.#takeFiles();
        const isAll = left !== null && (await this.#takeMemory(left)) && left.size === 0;
        if (!isAll) this.#later();
      } catch (err) {
        this.#options.logger.error({ err }, 'what was kept beside the store could not be read');
      }
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(work);
    return this.#tail;
  }

  #later(): void {
    if (this.#stopped || this.#cancel) return;
    this.#cancel = this.#options.clock.setTimer(() => {
      this.#cancel = null;
      void this.takeIn();
    }, this.#options.againMs ?? AGAIN_MS);
  }

  async #append(callId: CallId, entries: readonly Entry[]): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#pathOf(callId), 'a', 0o600);
    try {
      const { size } = await file.stat();
      try {
        await file.appendFile(textOf(entries));
        await file.sync();
      } catch (error) {
        // A disk that is full takes half a line, and the next one would be glued to it.
        await file.truncate(size);
        throw error;
      }
    } finally {
      await file.close();
    }
  }

  #pathOf(callId: CallId): string {
    return join(this.#options.folder, rescueFileName(callId, this.#us));
  }

  /** Not of calls of which a file is left: that is older. False when the store takes nothing now. */
  async #takeMemory(left: ReadonlySet<CallId>): Promise<boolean> {
    let at = 0;
    for (let next = this.#memory[at]; next; next = this.#memory[at]) {
      if (left.has(next.callId)) {
        at += 1;
        continue;
      }
      const taken = await this.#take(next.callId, next.entry);
      if (taken === 'later') return false;
      if (taken === 'refused') await this.#setAside(next.callId, next.entry).catch(() => undefined);
      this.#memory.splice(at, 1);
    }
    return true;
  }

  /** The calls of which a file is left, which may be another process's that lives; null when the store takes nothing now. */
  async #takeFiles(): Promise<ReadonlySet<CallId> | null> {
    const { folder, logger } = this.#options;
    const files = (await readdir(folder).catch(() => [])).flatMap((name) => readRescueFileName(name) ?? []);
    const isOurs = ({ name, callId }: RescueFile): boolean => name === rescueFileName(callId, this.#us);
    // Who cannot look at our process sees by this that it lives.
    for (const { name } of files.filter(isOurs))
      await utimes(join(folder, name), new Date(), new Date()).catch(() => undefined);
    const left = new Set<CallId>();
    const blocked = new Set<CallId>();
    // Our own first, so that the name is free for what is claimed.
    for (const file of files.toSorted((a, b) => Number(isOurs(b)) - Number(isOurs(a)))) {
      const { name, callId } = file;
      try {
        if (blocked.has(callId) || !(isOurs(file) || (await this.#isAbandoned(file)))) {
          left.add(callId);
          continue;
        }
        const path = await this.#claim(name, callId);
        if (path !== null && !(await this.#takeFile(path, callId))) return null;
      } catch (err) {
        left.add(callId);
        blocked.add(callId);
        logger.error({ callId, err, file: name }, 'a file of what was kept beside the store could not be taken in');
      }
    }
    return left;
  }

  async #isAbandoned(file: RescueFile): Promise<boolean> {
    try {
      const { mtimeMs } = await stat(join(this.#options.folder, file.name));
      return isAbandoned(file, Date.now() - mtimeMs);
    } catch {
      // Its writer has just got rid of it.
      return false;
    }
  }

  /** A dead process's file becomes ours, so that two that find it do not both take it in; null when another was faster. */
  async #claim(name: string, callId: CallId): Promise<string | null> {
    const ours = this.#pathOf(callId);
    try {
      await rename(join(this.#options.folder, name), ours);
      return ours;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async #takeFile(path: string, callId: CallId): Promise<boolean> {
    const { logger } = this.#options;
    const entries = (await readFile(path, 'utf8')).split('\n').flatMap(entryOf);
    let refused = 0;
    for (const [index, entry] of entries.entries()) {
      const taken = await this.#take(callId, entry);
      if (taken === 'refused') {
        await this.#setAside(callId, entry);
        refused += 1;
      }
      if (taken !== 'later') continue;
      // The rest must be there at every moment.
      if (index > 0) {
        await writeFile(`${path}.rest`, textOf(entries.slice(index)), { mode: 0o600, flush: true });
        await rename(`${path}.rest`, path);
      }
      return false;
    }
    await unlink(path);
    logger.warn({ callId, entries: entries.length, refused }, 'the store has taken what was kept beside it');
    return true;
  }

  async #take(callId: CallId, entry: Entry): Promise<'taken' | 'later' | 'refused'> {
    const { store, news, logger } = this.#options;
    try {
      await writeEntry(store, callId, entry);
    } catch (err) {
      const what = entry.kind;
      // A call that the store does not know will not become known, and what is wrong in itself will not become right.
      if ((await store.call(callId).catch(() => undefined)) === null) {
        logger.error(
          { callId, err, what },
          'something was kept of a call that the store does not know; it is put aside',
        );
        return 'refused';
      }
      if (!willNeverPass(err)) return 'later';
      logger.error(
        { callId, err, what },
        'the store will never take something that was kept beside it; it is put aside',
      );
      return 'refused';
    }
    if (entry.kind === 'line') news.tell({ callId, kind: 'line' });
    if (entry.kind === 'change' && entry.change.state === 'ended') news.tell({ callId, kind: 'ended' });
    return 'taken';
  }

  /** Kept for a human: nothing is ever tried with it again. */
  async #setAside(callId: CallId, entry: Entry): Promise<void> {
    await appendFile(`${this.#pathOf(callId)}.refused`, textOf([entry]), { mode: 0o600, flush: true });
  }
}

function textOf(entries: readonly Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The last line may have been cut off with its process. */
function entryOf(text: string): Entry[] {
  try {
    const entry: unknown = JSON.parse(text);
    const known = typeof entry === 'object' && entry !== null && 'kind' in entry && typeof entry.kind === 'string';
    return known && ['line', 'note', 'usage', 'change'].includes(String(entry.kind)) ? [entry as Entry] : [];
  } catch {
    return [];
  }
}

function willNeverPass(error: unknown): boolean {
  return error instanceof UpstreamError && error.code?.startsWith('refused') === true;
}

/** Will the same write pass a little later? */
export function mayPass(error: unknown): boolean {
  return error instanceof UpstreamError && error.retryable;
}
