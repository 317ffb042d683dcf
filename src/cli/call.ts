import { parseArgs } from 'node:util';
import type { Cost } from '../call/cost.ts';
import { type Line, VIAS } from '../call/words.ts';
import { type ConfigReading, complaintsError, processSources, readConfig } from '../config/config.ts';
import { keptApart } from '../config/simulated.ts';
import { ConfigError, UserInputError } from '../errors.ts';
import { ownerWords } from '../mcp/relay/owner-file.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { tryOwnerLock } from '../store/sqlite/owner-lock.ts';
import type { Logger } from '../switchboard/logger.ts';
import type { CallFacts, Switchboard } from '../switchboard/port.ts';
import { createLogger } from './log.ts';
import { clockText, plain, speakerText } from './say.ts';
import { stopSignal, surviveMistakes } from './signals.ts';
import { Telephone } from './telephone.ts';

const WAIT_MS = 25_000;

/** Places one call and shows it as it goes. Exit code 0 when the agent finished its business, 1 otherwise. */
export async function run(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      language: { type: 'string' },
      record: { type: 'boolean' },
      via: { type: 'string' },
    },
  });
  const [to, ...context] = positionals;
  if (to === undefined || context.length === 0) {
    throw new UserInputError('say whom to call and why: switchboard call +14155550123 "Book a table for two tonight."');
  }
  const via = VIAS.find((one) => one === values.via);
  if (values.via !== undefined && via === undefined)
    throw new UserInputError(`there is no way "${values.via}" to call. There are: ${VIAS.join(', ')}.`);
  const reading = readConfig(processSources());
  if (reading.complaints.length > 0) throw complaintsError(reading.complaints);
  const stdout = claimStdout();
  const show = values.json ? (): void => undefined : (text: string): void => void stdout.write(`${text}\n`);
  // Progress is shown anyway; a person at a terminal wants only what is wrong besides.
  const { config } = reading;
  const logger = createLogger(config.logLevel === 'info' ? { ...config, logLevel: 'warn' } : config);
  surviveMistakes(logger);
  // From the start: a telephone that rings must not be left to itself.
  const signalled = stopSignal();
  const telephone = openTelephone(reading, logger);
  const { app } = telephone;
  await app.started;
  try {
    const { callId } = await app.switchboard.place({
      to,
      context: context.join(' '),
      language: values.language,
      record: values.record,
      via,
    });
    show(`Calling ${to}${app.switchboard.simulated ? ' (simulated)' : ''} …`);
    signalled
      .then(() => app.switchboard.end(callId, 'polite'))
      .catch((err: unknown) => logger.error({ err }, 'the call could not be ended; press again to leave it'));
    const lines = await follow(app.switchboard, callId, show);
    const call = await app.switchboard.call(callId);
    const recordings = (await app.switchboard.recordings.of(callId)).flatMap(({ path }) =>
      path === null ? [] : [path],
    );
    if (values.json) stdout.write(`${JSON.stringify(summary(call, lines, recordings))}\n`);
    show(
      `\n${call.outcome}: ${call.reason}${call.result === null ? '' : `\nThe agent reports: “${plain(call.result)}”`}`,
    );
    if (call.cost !== null && call.cost.amount > 0) show(costText(call.cost));
    for (const path of recordings) show(`Recorded: ${path}`);
    return call.outcome === 'completed' ? 0 : 1;
  } finally {
    // Clients that have come meanwhile may have calls of their own.
    await telephone.stop(signalled);
  }
}

/** @throws ConfigError when another process has the telephone. */
function openTelephone(reading: ConfigReading, logger: Logger): Telephone {
  const { dataDir } = keptApart(reading.config);
  const lock = tryOwnerLock(dataDir);
  if (lock !== null) return new Telephone({ reading, logger, kind: 'stdio', privateListener: false }, lock);
  throw new ConfigError(
    `${ownerWords(dataDir)} owns the telephone. Have the assistant that it serves place the call, or end that process first.`,
    { settings: ['DATA_DIR'] },
  );
}

async function follow(
  switchboard: Switchboard,
  callId: string,
  show: (text: string) => void,
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  let state = '';
  for (let cursor = 0; ; ) {
    const progress = await switchboard.waitFor(callId, { cursor, timeoutMs: WAIT_MS });
    if (progress.call.state !== state) {
      state = progress.call.state;
      show(`         [${state}]`);
    }
    for (const line of progress.lines) show(`${clockText(line.startMs)}  ${speakerText(line)}`);
    lines.push(...progress.lines);
    cursor = progress.cursor;
    if (progress.done) return lines;
  }
}

function costText({ amount, complete }: Cost): string {
  return `It cost ${complete ? 'about' : 'at least'} $${amount.toFixed(3)} by the price table.`;
}

function summary(call: CallFacts, lines: readonly Line[], recordings: readonly string[]) {
  const { simulated, callId, outcome, reason, result, answeredAtMs, endedAtMs, usage, cost } = call;
  const durationMs = answeredAtMs === null || endedAtMs === null ? 0 : endedAtMs - answeredAtMs;
  return { simulated, callId, outcome, reason, result, durationMs, lines, recordings, usage, cost };
}
