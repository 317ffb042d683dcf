import { UserInputError } from '../../errors.ts';
import { METHODS, type VoipMsMethod } from '../../pbx/voipms/methods.ts';
import { nearestMethod } from './nearest.ts';

const OVERVIEW = `switchboard voipms – the API of VoIP.ms from the command line

  switchboard voipms METHOD [name=value …]     one call of the API
  switchboard voipms cdr [days=7]              calls of the last days, of every status, in UTC
                                               [from=YYYY-MM-DD to=YYYY-MM-DD] and what getCDR takes
  switchboard voipms getPhonebook [GROUP]      entries; digits are the id of a group, other words its name
  switchboard voipms getPhonebookGroups [NAME] groups
  switchboard voipms list [WORD]               the documented methods; a star: it changes something or costs money
  switchboard voipms help METHOD               its parameters
  switchboard voipms completion bash           completion:  source <(switchboard voipms completion bash)

  --dry-run      show the call, and do not make it
  --format FORM  pretty (default), json: the answer, lists always lists, or raw: the answer as it came
  --raw-params   do not look at names and values of parameters
  --simulate     a simulated account in place of yours

Settings: VOIPMS_API_USERNAME, VOIPMS_API_PASSWORD, VOIPMS_API_URL. Passwords and pins are blotted out of all that is shown.
What changes something is written to audit.jsonl in DATA_DIR before and after, and never tried twice.
A password in a command line can be read by others on this machine.
Exit code: 0 done, 1 not done, or not known whether it was, 2 the command has to be changed.
`;

/** @throws UserInputError where it is not documented. */
export function methodHelp(word: string): string {
  if (word === 'cdr') return CDR_HELP;
  const known = METHODS.find(({ name }) => name.toLowerCase() === word.toLowerCase());
  if (known === undefined) {
    const near = nearestMethod(word);
    throw new UserInputError(
      `There is no documented method ${word}.${near === null ? '' : ` Is ${near} meant?`} See: switchboard voipms list`,
    );
  }
  const width = Math.max(0, ...known.params.map(({ name }) => name.length));
  const params = known.params.map(
    ({ name, required, about }) => `  ${required ? '*' : ' '} ${name.padEnd(width)}  ${about}`,
  );
  const effect = known.changes ? ['', 'It changes something, costs money, or has an effect outside.'] : [];
  return [
    `${known.name} – ${known.about}`,
    '',
    `  switchboard voipms ${usageOf(known)}`,
    '',
    ...(params.length === 0 ? ['It has no parameters.'] : ['Parameters (*: required):', ...params]),
    ...effect,
    '',
  ].join('\n');
}

const CDR_HELP = `cdr – calls of the last days, of every status, in UTC (getCDR)

  switchboard voipms cdr [days=7] [from=YYYY-MM-DD] [to=YYYY-MM-DD] [name=value …]

  days, or from and to    at most 92 days
  answered=1 noanswer=1 busy=1 failed=1    only these, where one is given
  and what getCDR takes: account, calltype, callbilling, timezone
`;

function usageOf({ name, params }: VoipMsMethod): string {
  const needed = params.filter(({ required }) => required).map((one) => `${one.name}=…`);
  const more = params.length > needed.length ? ['[name=value …]'] : [];
  return [name, ...needed, ...more].join(' ');
}

/** All methods by group, or those in whose name or description the word stands. */
export function methodList(word = ''): string {
  const found = METHODS.filter(({ name, about, group }) =>
    [name, about, group].some((text) => text.toLowerCase().includes(word.toLowerCase())),
  );
  if (found.length === 0) throw new UserInputError(`No documented method has "${word}" in its name or description.`);
  const width = Math.max(...found.map(({ name }) => name.length));
  const groups = Map.groupBy(found, ({ group }) => group);
  const blocks = [...groups].map(([group, methods]) =>
    [
      group,
      ...methods.map(({ name, about, changes }) => `  ${changes ? '*' : ' '} ${name.padEnd(width)}  ${about}`),
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n\n* changes something, costs money, or has an effect outside\n`;
}

/** Of a method, where one is named. */
export function helpFor(word: string | undefined): string {
  return word === undefined ? OVERVIEW : methodHelp(word);
}
