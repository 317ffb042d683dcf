import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { complaintsError, processSources, readConfig } from '../config/config.ts';
import { keptApart } from '../config/simulated.ts';
import { UserInputError } from '../errors.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { openRecordingFolder } from '../store/files/recordings.ts';
import { openTranscriptFolder } from '../store/files/transcripts.ts';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { createArchive, type Purged } from '../switchboard/archive.ts';
import { systemClock } from '../switchboard/clock.ts';
import { createLogger } from './log.ts';

const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };
const HOUR_MS = 3_600_000;
/** Where no server ever ran, nothing is made only to be looked through. */
const NOTHING_KEPT: Purged = { calls: [], files: 0, transcripts: 0, carrierRecordings: [], scrubbed: true };

/** Forgets calls that have ended, also while a server runs. Exit code 0, or 1 when the store's files have to be cleaned once more. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      'older-than': { type: 'string' },
      call: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const reading = readConfig(processSources());
  if (reading.complaints.length > 0) throw complaintsError(reading.complaints);
  const config = keptApart(reading.config);
  const callId = values.call;
  const age = values['older-than'];
  if (callId !== undefined && age !== undefined) throw new UserInputError('give --older-than or --call, not both.');
  const olderThanMs = callId !== undefined ? 0 : age === undefined ? config.retainDays * 24 * HOUR_MS : ageOf(age);
  if (callId === undefined && age === undefined && config.retainDays === 0)
    throw new UserInputError(
      'say what to purge: switchboard purge --older-than 30d, or --call ID. RETAIN_DAYS is not set.',
    );
  const dryRun = values['dry-run'];
  const tell = (purged: Purged): void => {
    claimStdout().write(`${values.json ? JSON.stringify({ dryRun, ...purged }) : sentences(purged, dryRun)}\n`);
  };
  if (!existsSync(config.dataDir)) {
    tell(NOTHING_KEPT);
    return 0;
  }
  const logger = createLogger(config.logLevel === 'info' ? { ...config, logLevel: 'warn' } : config);
  const store = await openSqliteStore({ dataDir: config.dataDir });
  try {
    const folder = openRecordingFolder(join(config.dataDir, 'recordings'));
    const rescueFolder = join(config.dataDir, 'rescued');
    const transcripts = openTranscriptFolder(join(config.dataDir, 'transcripts'));
    const archive = createArchive({ store, folder, transcripts, rescueFolder, clock: systemClock, logger });
    const purged = await archive.purge({ endedBeforeMs: systemClock.wall() - olderThanMs, callId, dryRun });
    tell(purged);
    return dryRun || purged.scrubbed ? 0 : 1;
  } finally {
    await store.close();
  }
}

/** Milliseconds of `12h`, `30d` or `4w`. */
function ageOf(text: string): number {
  const match = /^(\d{1,5})([hdw])$/.exec(text);
  const hours = HOURS[match?.[2] ?? ''];
  if (!match || hours === undefined)
    throw new UserInputError('--older-than wants a number with h, d or w, such as 12h, 30d or 4w.');
  return Number(match[1]) * hours * HOUR_MS;
}

function sentences({ calls, files, transcripts, carrierRecordings, scrubbed }: Purged, dryRun: boolean): string {
  const lines = [
    `${count(calls.length, 'call')} and ${count(files, 'recording')} ${dryRun ? 'would be purged' : 'purged'}.`,
    ...(dryRun ? calls : []),
  ];
  if (transcripts > 0)
    lines.push(
      `${count(transcripts, 'transcript')} of recordings at VoIP.ms ${dryRun ? 'would be purged' : 'purged'}.`,
    );
  if (carrierRecordings.length > 0)
    lines.push(`The carrier keeps recordings of its own, which are not deleted: ${carrierRecordings.join(', ')}`);
  if (!dryRun && !scrubbed)
    lines.push('Another process was reading, so traces are still in the write-ahead log. Run it again.');
  return lines.join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
