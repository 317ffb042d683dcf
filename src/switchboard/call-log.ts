import type { CallCommand } from '../call/commands.ts';
import type { CallId, CallState } from '../call/words.ts';
import type { Logger } from './logger.ts';
import type { Tap } from './tap.ts';

/** Tells a call in the log, line by line under its id. */
export interface CallLog extends Tap {
  /** The last line: how the call ended, and its counts. To be written when the call's record is on disk. */
  sum(): void;
}

/** What a note may show: words of ours and figures. Everything else may be what somebody said, or a number. */
const SHOWN: ReadonlySet<string> = new Set([
  'code',
  'epoch',
  'heardMs',
  'how',
  'kind',
  'name',
  'objection',
  'outcome',
  'purpose',
  'receivedMs',
  'retryable',
  'source',
  'status',
  'times',
  'tries',
]);
/** What the timeline says when something has gone wrong. */
const TROUBLE: ReadonlySet<string> = new Set([
  'refused',
  'uncertain',
  'model-failed',
  'reply-failed',
  'reply-incomplete',
  'reply-unanswered',
  'reply-stuck',
  'slow-answer',
  'apology',
  'hang-up-failed',
]);
/** Names and codes are short; a longer text is a sentence. */
const MAX_SHOWN_LENGTH = 40;

/** At `info` when it was answered and how it ended; at `debug` each change of state and each entry of the timeline, without anybody's words, at `warn` those that tell of trouble. */
export function logCall(callId: CallId, logger: Logger): CallLog {
  const counts = { lines: 0, interruptions: 0, replies: 0, modelSessions: 0 };
  let dialledAtMs: number | null = null;
  /** As the carrier said, or else when its stream came. */
  let answeredAtMs: number | null = null;
  let isToldAnswered = false;
  let ended: { readonly outcome: string; readonly atMs: number } | null = null;
  let before: CallState = 'queued';
  /** The telephone was told to stop; a reply that had said nothing yet is not interrupted by that. */
  let cleared = false;

  return {
    state(state, atMs) {
      logger.debug({ callId, state, before }, 'call changed its state');
      before = state;
      if (state === 'dialling') dialledAtMs ??= atMs;
      if (state !== 'answered' || isToldAnswered) return;
      isToldAnswered = true;
      answeredAtMs ??= atMs;
      logger.info({ callId, afterMs: between(dialledAtMs, atMs) }, 'call answered');
    },
    event(event) {
      if (event.type === 'model.replyCreated') counts.replies += 1;
      if (event.type === 'carrier.progressed' && event.status === 'answered') answeredAtMs ??= event.atMs;
    },
    command(command, atMs) {
      switch (command.type) {
        case 'scribe.line':
          counts.lines = Math.max(counts.lines, command.index + 1);
          return;
        case 'carrier.clear':
          cleared = true;
          return;
        case 'model.open':
          counts.modelSessions += 1;
          return;
        case 'scribe.note': {
          if (command.kind === 'interrupted' && cleared) counts.interruptions += 1;
          if (command.kind === 'interrupted') cleared = false;
          const fields = { callId, ...shown(command.data), note: command.kind };
          if (TROUBLE.has(command.kind) || command.data.how === 'dropped')
            return logger.warn(fields, 'call is in trouble');
          return logger.debug(fields, 'call went on');
        }
        case 'scribe.ended':
          ended = { outcome: command.outcome, atMs };
          return;
        default:
          return;
      }
    },
    sum() {
      const talkMs = ended && between(answeredAtMs, ended.atMs);
      const durationMs = ended && between(dialledAtMs, ended.atMs);
      logger.info({ callId, outcome: ended?.outcome ?? null, durationMs, talkMs, ...counts }, 'call ended');
    },
  };
}

function between(fromMs: number | null, toMs: number): number | null {
  return fromMs === null ? null : Math.round(toMs - fromMs);
}

function shown(data: Extract<CallCommand, { type: 'scribe.note' }>['data']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(data).filter(
      ([key, value]) => SHOWN.has(key) && (typeof value !== 'string' || value.length <= MAX_SHOWN_LENGTH),
    ),
  );
}
