import { type Finding, fail, ok, warn } from './finding.ts';

/** What was seen of the telephone system: its own words, as far as they are versions and names. */
export interface AsteriskFacts {
  readonly version: string;
  readonly actions: readonly string[];
  readonly hasContext: boolean;
  readonly agentExtensions: readonly string[] | null;
  readonly extensions: number;
}

export interface AsteriskWishes {
  readonly context: string;
  readonly agentContext: string;
  /** Nothing shall be changed. */
  readonly readOnly: boolean;
  /** Calls shall go over it. */
  readonly carriesCalls: boolean;
  /** The audio may come by AudioSocket instead. */
  readonly hasAudioSocket: boolean;
  /** Calls that come in shall be taken. */
  readonly takesCalls: boolean;
}

const CHECK = 'asterisk';
const RIGHTS = 'asterisk account';
const DIAL_PLAN = 'asterisk dial plan';

/** One action of each class that is needed. */
const NEEDED: readonly (readonly [action: string, right: string])[] = [
  ['CoreStatus', 'reporting'],
  ['Hangup', 'call'],
  ['Originate', 'originate'],
];
/** What only an account with far too many rights may do. */
const TOO_MUCH: readonly (readonly [action: string, right: string])[] = [
  ['ModuleLoad', 'system'],
  ['Command', 'command'],
  ['UpdateConfig', 'config'],
];

export function checkAsterisk(facts: AsteriskFacts, wishes: AsteriskWishes): readonly Finding[] {
  return [checkVersion(facts, wishes), checkRights(facts, wishes), ...checkDialPlan(facts, wishes)];
}

function checkVersion({ version, extensions }: AsteriskFacts, wishes: AsteriskWishes): Finding {
  const { carriesCalls, hasAudioSocket } = wishes;
  const shown = /^[\w.+~-]{1,60}$/.test(version) ? ` ${version}` : '';
  const seen = `Asterisk${shown} answers, and shows ${extensions} extensions.`;
  if (carriesCalls && !hasAudioSocket && !speaksJson(version))
    return fail(
      CHECK,
      `Asterisk${shown} is too old for the agent's audio.`,
      'It needs chan_websocket with JSON: Asterisk 20.18, 22.8 or 23.2 and later. Older ones carry calls by AudioSocket: set ASTERISK_AUDIOSOCKET; docs/asterisk.md.',
    );
  if (extensions === 0)
    return warn(
      CHECK,
      seen,
      'Only extensions with a hint in the dial plan are seen: give each one (exten => 1001,hint,PJSIP/1001).',
    );
  return ok(CHECK, seen);
}

/** Since when chan_websocket speaks JSON (Asterisk docs, "WebSocket Channel Driver"). */
export function speaksJson(version: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.\-+]/).map(Number);
  const since: Readonly<Record<number, number>> = { 20: 18, 21: 99, 22: 8, 23: 2 };
  return major > 23 || minor >= (since[major] ?? Number.POSITIVE_INFINITY);
}

function checkRights({ actions }: AsteriskFacts, { readOnly, carriesCalls }: AsteriskWishes): Finding {
  const onlyReads = readOnly && !carriesCalls;
  const needed = NEEDED.filter(([, right]) => !onlyReads || right === 'reporting');
  const missing = needed.filter(([action]) => !actions.includes(action)).map(([, right]) => right);
  if (missing.length > 0)
    return fail(
      RIGHTS,
      `The account of AMI_USERNAME lacks write = ${missing.join(', ')}.`,
      onlyReads
        ? 'manager.conf: write = reporting and read = call,reporting,cdr; then "manager reload".'
        : 'manager.conf: write = call,reporting,originate and read = call,reporting,cdr; then "manager reload".',
    );
  const tooMuch = TOO_MUCH.filter(([action]) => actions.includes(action)).map(([, right]) => right);
  if (tooMuch.length > 0)
    return warn(
      RIGHTS,
      `The account of AMI_USERNAME has the right ${tooMuch.join(', ')}, with which whoever holds its secret can run programs on the server or read passwords.`,
      'manager.conf: write = call,reporting,originate is all that is needed.',
    );
  // ListCommands goes by the write classes alone.
  return ok(
    RIGHTS,
    'The account has the write rights that are needed, and no more. Whether it has read = call,reporting,cdr cannot be seen from here.',
  );
}

function checkDialPlan(facts: AsteriskFacts, wishes: AsteriskWishes): readonly Finding[] {
  const { context, agentContext, carriesCalls, takesCalls } = wishes;
  const findings: Finding[] = [];
  if (!facts.hasContext)
    findings.push(
      fail(
        DIAL_PLAN,
        `There is no context ${context}.`,
        'Set ASTERISK_CONTEXT to the one that the phones dial in, such as from-internal.',
      ),
    );
  if (carriesCalls) {
    const needed = ['outbound', 'sorry', ...(takesCalls ? ['inbound'] : [])];
    const lacking = needed.filter((extension) => !facts.agentExtensions?.includes(extension));
    if (lacking.length > 0)
      findings.push(
        fail(
          DIAL_PLAN,
          `The context ${agentContext} lacks ${lacking.join(', ')}.`,
          'docs/asterisk.md has the lines to add; then "dialplan reload".',
        ),
      );
  }
  if (findings.length === 0)
    findings.push(
      ok(
        DIAL_PLAN,
        carriesCalls ? `The agent has its extensions in ${agentContext}.` : `The context ${context} is there.`,
      ),
    );
  return findings;
}
