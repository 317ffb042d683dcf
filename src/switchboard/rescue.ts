import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallId, Line, Usage } from '../call/words.ts';
import { UpstreamError } from '../errors.ts';
import type { CallChange, Note, Store } from '../store/store.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { News } from './news.ts';

/** One thing that a call wants written down. */
export type Entry =
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'note'; readonly note: Note }
  | { readonly kind: 'usage'; readonly usage: Usage }
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
const FILE_NAME = /^([0-9a-f-]{36})\.(\d+)\.jsonl$/;

export function writeEntry(store: Store, callId: CallId, entry: Entry): Promise<void> {
  switch (entry.kind) {
    case 'line':
      return store.putLine(callId, entry.line);
    case 'note':
      return store.addNote(callId, entry.note);
    case 'usage':
      return store.addUsage(callId, entry.usage);
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
        const isAll = (await this.#takeFiles()) && (await this.#takeMemory());
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
    return join(this.#options.folder, `${callId}.${process.pid}.jsonl`);
  }

  async #takeMemory(): Promise<boolean> {
    for (let next = this.#memory[0]; next; next = this.#memory[0]) {
      if ((await this.#take(next.callId, next.entry)) === 'later') return false;
      this.#memory.shift();
    }
    return true;
  }

  async #takeFiles(): Promise<boolean> {
    const names = await readdir(this.#options.folder).catch(() => []);
    const files = names.flatMap((name) => {
      const [, callId, pid] = FILE_NAME.exec(name) ?? [];
      return callId !== undefined && isOurs(Number(pid)) ? [{ name, callId: callId as CallId, pid: Number(pid) }] : [];
    });
    // Our own first, so that the name is free for what is claimed.
    for (const { name, callId } of files.toSorted(
      (a, b) => Number(b.pid === process.pid) - Number(a.pid === process.pid),
    )) {
      const path = await this.#claim(name, callId);
      if (path !== null && !(await this.#takeFile(path, callId))) return false;
    }
    return true;
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
      if (taken === 'refused') refused += 1;
      if (taken !== 'later') continue;
      // What was taken must not be taken twice, as usage adds up; and the rest must be there at every moment.
      if (index > 0) {
        await writeFile(`${path}.rest`, textOf(entries.slice(index)), { mode: 0o600, flush: true });
        await rename(`${path}.rest`, path);
      }
      return false;
    }
    if (refused > 0) await rename(path, `${path}.refused`);
    else await unlink(path);
    logger.warn({ callId, entries: entries.length, refused }, 'the store has taken what was kept beside it');
    return true;
  }

  async #take(callId: CallId, entry: Entry): Promise<'taken' | 'later' | 'refused'> {
    const { store, news, logger } = this.#options;
    try {
      await writeEntry(store, callId, entry);
    } catch (err) {
      // A call that the store does not know will not become known.
      if ((await store.call(callId).catch(() => undefined)) !== null) return 'later';
      logger.error({ callId, err, what: entry.kind }, 'something was kept of a call that the store does not know');
      return 'refused';
    }
    if (entry.kind === 'line') news.tell({ callId, kind: 'line' });
    if (entry.kind === 'change' && entry.change.state === 'ended') news.tell({ callId, kind: 'ended' });
    return 'taken';
  }
}

function textOf(entries: readonly Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** Written by this process, or by one that is gone. */
function isOurs(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EPERM');
  }
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

/** Will the same write pass a little later? */
export function mayPass(error: unknown): boolean {
  return error instanceof UpstreamError && error.retryable;
}
