import type { CallId } from '../call/words.ts';
import type { CarrierRecording, Heard } from '../carriers/carrier.ts';
import { UserInputError } from '../errors.ts';
import type { Recording, RecordingFolder, Store, TranscriptFolder } from '../store/store.ts';
import type { Clock } from './clock.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Logger } from './logger.ts';
import type { RecordingFacts, Recordings } from './port.ts';
import { recorderOf } from './recorder.ts';
import type { TapMaker } from './tap.ts';

export interface ArchiveOptions {
  readonly store: Store;
  /** Where what the store could not take is kept beside it. */
  readonly rescueFolder?: string | undefined;
  readonly folder: RecordingFolder;
  /** Of recordings that others keep. */
  readonly transcripts?: Pick<TranscriptFolder, 'forget'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is kept of calls besides their transcripts, and how long all of it is kept. */
export interface Archive {
  readonly recordings: Recordings;
  /** Records the calls whose briefs say so. */
  readonly recorder: TapMaker;
  /** The carrier tells of a recording of its own. `unknown` when there is no such call, or it is another one of the carrier's. */
  hearOf(recording: CarrierRecording): Promise<Heard>;
  /** Forgets calls that have ended. @throws UserInputError when the one call that is named has not, or is not known. */
  purge(query: PurgeQuery): Promise<Purged>;
  /**
   * Mends recordings that a dead process left unfinished and, unless `retainDays` is 0, purges what ended longer ago: now and every
   * day from now on. Answers how to stop it.
   */
  keep(retainDays: number): () => void;
}

export interface PurgeQuery {
  /** Wall clock, milliseconds. */
  readonly endedBeforeMs: number;
  readonly callId?: string | undefined;
  /** Only says what would go. */
  readonly dryRun?: boolean | undefined;
}

export interface Purged {
  readonly calls: readonly CallId[];
  /** Files of recordings that were removed. */
  readonly files: number;
  /** Transcripts of recordings that others keep. */
  readonly transcripts: number;
  /** Recordings that the carrier keeps, by its own ids: nobody has deleted those. */
  readonly carrierRecordings: readonly string[];
  /** Nothing of what was purged stands in the store's files any more; false when another process was reading, and the next purge has to do it. */
  readonly scrubbed: boolean;
}

/** A purged call's key is known for a year, so that whoever repeats it dials nobody. */
const KEEP_KEYS_MS = 365 * 86_400_000;
const DAY_MS = 86_400_000;
/** Calls in one transaction: it bounds how long the writes of live calls wait. */
const BATCH = 25;
const MOST_CALLS = 1_000_000;
const MOST_RECORDINGS = 20;
const SCRUB_TRIES = 3;

export function createArchive(options: ArchiveOptions): Archive {
  const { store, folder, clock, logger } = options;

  const recordings: Recordings = {
    list: async ({ limit }) => (await store.recordings({ limit })).map(factsOf),
    of: async (callId) => {
      await knownCall(callId);
      const found = await store.recordings({ callId: callId as CallId, limit: MOST_RECORDINGS });
      return (await Promise.all(found.map(mended))).map(factsOf);
    },
    audio: async (callId, mostBytes) => {
      await knownCall(callId);
      const audio = await folder.read(callId, mostBytes);
      if (audio === null) throw noRecording();
      return audio;
    },
    save: async (callId, toPath) => {
      await knownCall(callId);
      const size = await folder.read(callId, 0);
      if (size === null) throw noRecording();
      await folder.copy(callId, toPath);
    },
  };

  function factsOf(recording: Recording): RecordingFacts {
    return { ...recording, path: recording.kind === 'local' ? folder.pathOf(recording.callId) : null };
  }

  async function knownCall(callId: string): Promise<void> {
    if (!(await store.call(callId as CallId)))
      throw new UserInputError('There is no call with this callId. Use list-calls to find the right one.');
  }

  /** Of a call that has ended nothing is being recorded: its process died. */
  async function mended(recording: Recording): Promise<Recording> {
    if (recording.kind !== 'local' || recording.state !== 'recording') return recording;
    const call = await store.call(recording.callId);
    if (call?.state !== 'ended') return recording;
    const size = await folder.repair(recording.callId);
    const whole: Recording = size
      ? { ...recording, ...size, state: 'complete', reason: 'Switchboard stopped while it was being made.' }
      : { ...recording, state: 'failed', reason: 'Its file is gone.' };
    await store.putRecording(whole);
    return whole;
  }

  async function mend(): Promise<void> {
    for (const recording of await store.recordings({ goingOn: true, limit: MOST_CALLS })) {
      await mended(recording).catch((err: unknown) =>
        logger.warn({ callId: recording.callId, err }, 'a recording could not be mended'),
      );
    }
  }

  async function hearOf(heard: CarrierRecording): Promise<Heard> {
    const call = await store.call(heard.callId);
    if (!call) {
      logger.warn({ callId: heard.callId, recording: heard.name }, 'a recording of a call that is not kept');
      return 'unknown';
    }
    if (call.carrierCallId !== null && call.carrierCallId !== heard.carrierCallId) {
      logger.warn({ callId: heard.callId, recording: heard.name }, 'a recording of another call');
      return 'foreign';
    }
    const { callId, name, url, channels, durationMs, state, startedAtMs } = heard;
    const kind = 'carrier';
    await store.putRecording({
      callId,
      kind,
      name,
      url,
      channels,
      bytes: null,
      durationMs,
      state,
      reason: null,
      startedAtMs,
    });
    const data = { by: call.carrier, state, recording: name, durationMs };
    // A repeated callback tells nothing new.
    await store.addNote(callId, { atMs: clock.wall(), kind: 'recording', data }, `recording ${name} ${state}`);
    return 'stored';
  }

  async function oneToPurge(callId: string): Promise<readonly CallId[]> {
    const call = await store.call(callId as CallId);
    if (!call) throw new UserInputError('There is no call with this id.');
    if (call.state !== 'ended') throw new UserInputError('This call has not ended; end it first.');
    return [call.callId];
  }

  async function purge({ endedBeforeMs, callId, dryRun = false }: PurgeQuery): Promise<Purged> {
    const limit = dryRun ? MOST_CALLS : BATCH;
    const next = async () =>
      callId === undefined ? await store.purgeable({ endedBeforeMs, limit }) : await oneToPurge(callId);
    const done: CallId[] = [];
    const carrierRecordings: string[] = [];
    let files = 0;
    for (let ids = await next(); ids.length > 0; ids = callId === undefined && !dryRun ? await next() : []) {
      for (const id of ids) {
        const found = await store.recordings({ callId: id, limit: MOST_RECORDINGS });
        carrierRecordings.push(...found.filter(({ kind }) => kind === 'carrier').map(({ name }) => name));
        if (dryRun) files += found.filter(({ kind }) => kind === 'local').length;
      }
      const purged = dryRun
        ? ids
        : await store.purgeCalls(ids, { nowMs: clock.wall(), keepKeysUntilMs: clock.wall() + KEEP_KEYS_MS });
      if (purged.length === 0) break;
      done.push(...purged);
      if (!dryRun) for (const id of purged) if (await folder.remove(id)) files += 1;
    }
    // They belong to no call of ours, so they go by their age alone.
    const transcripts =
      callId === undefined ? ((await options.transcripts?.forget(endedBeforeMs, { dryRun })) ?? 0) : 0;
    if (dryRun) return { calls: done, files, transcripts, carrierRecordings, scrubbed: false };
    files += await removeOrphans();
    if (options.rescueFolder !== undefined)
      await removeLeftovers(options.rescueFolder, async (id) => (await store.call(id as CallId)) !== null);
    return { calls: done, files, transcripts, carrierRecordings, scrubbed: await scrubbed() };
  }

  /** Files whose call is not known, such as those of a purge that was broken off. A call is written down before its file is begun. */
  async function removeOrphans(): Promise<number> {
    let files = 0;
    for (const callId of await folder.list()) {
      if (await store.call(callId as CallId)) continue;
      if (await folder.remove(callId)) files += 1;
    }
    return files;
  }

  async function scrubbed(): Promise<boolean> {
    for (let tries = 0; tries < SCRUB_TRIES; tries += 1) if (await store.scrub()) return true;
    return false;
  }

  async function purgeOld(days: number): Promise<void> {
    const { calls, files, carrierRecordings } = await purge({ endedBeforeMs: clock.wall() - days * DAY_MS });
    if (calls.length > 0) logger.info({ calls: calls.length, files }, 'old calls were purged');
    // Nobody will know of them any more: whoever wants them gone has to delete them there.
    if (carrierRecordings.length > 0)
      logger.warn({ carrierRecordings }, 'the carrier keeps recordings of purged calls, which are not deleted');
  }

  function keep(retainDays: number): () => void {
    let cancel = (): void => undefined;
    let stopped = false;
    const run = async (): Promise<void> => {
      try {
        await mend();
        if (retainDays > 0 && !stopped) await purgeOld(retainDays);
      } catch (err) {
        if (!stopped) logger.error({ err }, 'old calls could not be purged');
      }
      if (!stopped) cancel = clock.setTimer(() => void run(), DAY_MS);
    };
    void run();
    return () => {
      stopped = true;
      cancel();
    };
  }

  return { recordings, recorder: recorderOf(options), hearOf, purge, keep };
}

function noRecording(): UserInputError {
  return new UserInputError('There is no recording of this call on this machine.');
}
