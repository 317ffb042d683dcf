import { SETTINGS } from './schema.ts';

export interface Flags {
  /** By the setting's name. */
  readonly values: Readonly<Record<string, string>>;
  readonly simulate: boolean;
  /** The file of `--settings`; null when none is named. */
  readonly settingsFile: string | null;
  /** What is no setting, in order, for the command itself. */
  readonly rest: readonly string[];
  readonly complaints: readonly { readonly setting: string; readonly message: string }[];
}

const BY_FLAG = new Map(Object.values(SETTINGS).map((setting) => [flagOf(setting.name), setting] as const));
const SWITCHES: ReadonlySet<string> = new Set([
  'AI_DISCLOSURE',
  'MCP_ALLOW_QUERY_TOKEN',
  'PREFLIGHT',
  'PRIVATE_LISTENER',
  'READ_ONLY',
  'RECORD_CALLS',
  'TWILIO_RECORDING',
]);

/** `DATA_DIR` is `--data-dir`. */
export function flagOf(settingName: string): string {
  return `--${settingName.toLowerCase().replaceAll('_', '-')}`;
}

/** Takes the settings out of a command line: `--name value`, `--name=value`, and `--name` alone for a switch. Nothing after `--` is a flag. */
export function readFlags(argv: readonly string[]): Flags {
  const values: Record<string, string> = {};
  const rest: string[] = [];
  const complaints: { setting: string; message: string }[] = [];
  let simulate = false;
  let settingsFile: string | null = null;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      rest.push(...argv.slice(at));
      break;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const setting = BY_FLAG.get(flag);
    if (word === '--simulate') {
      simulate = true;
    } else if (word === '--http') {
      values.PRIVATE_LISTENER = 'true';
    } else if (flag === '--settings') {
      const taken = equals >= 0 ? { value: word.slice(equals + 1), words: 0 } : valueAfter(flag, argv[at + 1]);
      at += taken?.words ?? 0;
      settingsFile = taken?.value ?? null;
      if (!taken) complaints.push({ setting: flag, message: `${flag} ${MISSING}.` });
    } else if (!setting) {
      rest.push(word);
    } else {
      const next = argv[at + 1];
      const taken = equals >= 0 ? { value: word.slice(equals + 1), words: 0 } : valueAfter(setting.name, next);
      at += taken?.words ?? 0;
      const message = setting.secret ? SECRET : MISSING;
      if (setting.secret || !taken) complaints.push({ setting: setting.name, message: `${flag} ${message}.` });
      else values[setting.name] = taken.value;
    }
  }
  return { values, simulate, settingsFile, rest, complaints };
}

const SECRET =
  'is a secret, and other users of this machine can read command lines: set it in the environment or in .env';
const MISSING = 'needs a value';

function valueAfter(name: string, next: string | undefined): { readonly value: string; readonly words: number } | null {
  if (SWITCHES.has(name))
    return next === 'true' || next === 'false' ? { value: next, words: 1 } : { value: 'true', words: 0 };
  return next === undefined || next.startsWith('--') ? null : { value: next, words: 1 };
}
