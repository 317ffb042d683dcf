/** What can be dialled in the phones' context, read from the dial plan that is running (ShowDialPlan, class reporting). */
import { UserInputError } from '../../errors.ts';
import { type AmiClient, AmiRefusal } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';

export type RuleKind = 'extension' | 'feature-code' | 'emergency' | 'international' | 'long-distance' | 'other';

export interface DialRule {
  /** As in the dial plan: a number, or a pattern that begins with an underscore. */
  readonly pattern: string;
  readonly kind: RuleKind;
  readonly context: string;
  /** The applications that it runs, in order; their data is left out, as it may hold secrets. */
  readonly applications: readonly string[];
}

export interface FeatureCode {
  readonly code: string;
  readonly meaning: string;
  /** Where the meaning comes from: the applications that run, or the convention of FreePBX and others. */
  readonly source: 'applications' | 'convention' | 'unknown';
  readonly applications: readonly string[];
}

/** Applications by what a person would call them. */
const BY_APPLICATION: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/^VoiceMailMain$/i, 'Check voicemail'],
  [/^VoiceMail$/i, 'Leave a voicemail'],
  [/^Echo$/i, 'Echo test'],
  [/^Milliwatt$/i, 'Tone test'],
  [/^(Pickup|PickupChan)$/i, 'Pick up a ringing call'],
  [/^(ConfBridge|MeetMe)$/i, 'Conference'],
  [/^(Park|ParkAndAnnounce)$/i, 'Park a call'],
  [/^ParkedCall$/i, 'Take a parked call'],
  [/^(ChanSpy|ExtenSpy)$/i, 'Listen to a call'],
  [/^(Page)$/i, 'Page'],
  [/^(AddQueueMember|AgentLogin)$/i, 'Log in to a queue'],
  [/^RemoveQueueMember$/i, 'Log out of a queue'],
  [/^PauseQueueMember$/i, 'Pause in a queue'],
  [/^Directory$/i, 'Directory by name'],
  [/^DISA$/i, 'Dial through from outside'],
  [/^SayUnixTime$/i, 'Speaking clock'],
];

/** What FreePBX and its kin use these codes for; not every server does. */
const BY_CONVENTION: Readonly<Record<string, string>> = {
  '*43': 'Echo test',
  '*45': 'Log in to or out of a queue',
  '*46': 'Pause in a queue',
  '*60': 'Speaking clock',
  '*65': 'Say this extension’s number',
  '*66': 'Call completion',
  '*69': 'Call back the last caller',
  '*70': 'Call waiting on',
  '*71': 'Call waiting off',
  '*72': 'Call forwarding on',
  '*73': 'Call forwarding off',
  '*76': 'Do not disturb, on or off',
  '*78': 'Do not disturb on',
  '*79': 'Do not disturb off',
  '*97': 'Own voicemail',
  '*98': 'Voicemail of an extension',
};

export async function readDialRules(
  ami: AmiClient,
  context: string,
  isEmergency: (digits: string) => boolean,
): Promise<readonly DialRule[]> {
  const lines = await dialPlanOf(ami, context);
  const rules = new Map<string, { readonly context: string; readonly applications: string[] }>();
  for (const line of lines) {
    const pattern = line.get('Extension');
    // Without an application it is a hint, an include or a switch; `s`, `h`, `i`, `t` and the like are no numbers.
    if (
      pattern === '' ||
      line.get('Application') === '' ||
      line.get('Priority') === 'hint' ||
      /^[a-zA-Z]+$/.test(pattern)
    )
      continue;
    const rule = rules.get(pattern) ?? { context: line.get('Context'), applications: [] };
    rule.applications.push(line.get('Application'));
    rules.set(pattern, rule);
  }
  return [...rules].map(([pattern, rule]) => ({ pattern, kind: kindOf(pattern, isEmergency), ...rule }));
}

/** Whether the dial plan has something to do when this is dialled in the context or what it includes, patterns counted. */
export async function canBeDialled(ami: AmiClient, context: string, digits: string): Promise<boolean> {
  try {
    const lines = await ami.list('ShowDialPlan', { Context: context, Extension: digits });
    return lines.some((line) => line.get('Application') !== '' && line.get('Priority') !== 'hint');
  } catch (error) {
    if (error instanceof AmiRefusal && /did not find/i.test(error.said)) return false;
    throw error;
  }
}

export async function readFeatureCodes(ami: AmiClient, context: string): Promise<readonly FeatureCode[]> {
  const rules = await readDialRules(ami, context, () => false);
  return rules
    .filter(({ kind }) => kind === 'feature-code')
    .map(({ pattern, applications }) => {
      const byApplication = BY_APPLICATION.find(([form]) => applications.some((name) => form.test(name)))?.[1];
      const code = pattern.replace(/^_/, '');
      const byConvention = BY_CONVENTION[code.replace(/[.!XZN[].*$/, '')];
      if (byApplication !== undefined)
        return { code, meaning: byApplication, source: 'applications' as const, applications };
      if (byConvention !== undefined)
        return { code, meaning: byConvention, source: 'convention' as const, applications };
      return { code, meaning: 'Not known', source: 'unknown' as const, applications };
    })
    .toSorted((a, b) => a.code.localeCompare(b.code, 'en'));
}

/** With the contexts that it includes, each once. */
async function dialPlanOf(ami: AmiClient, context: string): Promise<readonly AmiMessage[]> {
  const lines: AmiMessage[] = [];
  const seen = new Set<string>();
  const waiting = [context];
  for (let next = waiting.shift(); next !== undefined && seen.size < MOST_CONTEXTS; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const found = await showDialPlan(ami, next, next === context);
    lines.push(...found);
    for (const line of found)
      if (line.get('IncludeContext') !== '') waiting.push(line.get('IncludeContext').split(/[,|]/)[0] ?? '');
  }
  return lines;
}

/** FreePBX includes about a hundred. */
const MOST_CONTEXTS = 200;

async function showDialPlan(ami: AmiClient, context: string, isFirst: boolean): Promise<readonly AmiMessage[]> {
  try {
    return await ami.list('ShowDialPlan', { Context: context });
  } catch (error) {
    if (!(error instanceof AmiRefusal) || /permission denied/i.test(error.said)) throw error;
    if (!isFirst) return [];
    throw new UserInputError(
      `Asterisk's dial plan has no context ${context}. Set ASTERISK_CONTEXT to the context that the phones dial in (such as from-internal).`,
      { cause: error },
    );
  }
}

function kindOf(pattern: string, isEmergency: (digits: string) => boolean): RuleKind {
  const text = pattern.replace(/^_/, '');
  if (/^[*#]/.test(text)) return 'feature-code';
  if (isEmergency(text)) return 'emergency';
  if (/^(\+|00|011)/.test(text)) return 'international';
  const digits = lengthOf(text);
  if (digits !== null && digits <= 6) return 'extension';
  if (digits !== null && digits >= 7) return 'long-distance';
  return 'other';
}

/** How many digits a pattern takes; null when any number. */
function lengthOf(pattern: string): number | null {
  if (/[.!]$/.test(pattern)) return null;
  return pattern.replace(/\[[^\]]*\]/g, 'X').replace(/-/g, '').length;
}
