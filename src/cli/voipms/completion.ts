import { METHODS } from '../../pbx/voipms/methods.ts';

const COMMANDS = ['cdr', 'completion', 'help', 'list'];
const OPTIONS = ['--dry-run', '--format', '--help', '--raw-params', '--simulate'];

/** A script for bash to source: it completes methods, the names of their parameters, and options. */
export function bashCompletion(): string {
  const cases = METHODS.map(
    ({ name, params }) => `    ${name}) echo "${params.map((one) => `${one.name}=`).join(' ')}" ;;`,
  );
  return `# Completion of "switchboard voipms" for bash: source <(switchboard voipms completion bash)
_switchboard_voipms_parameters() {
  case "$1" in
    cdr) echo "days= from= to= answered= noanswer= busy= failed= calltype= callbilling= account= timezone=" ;;
${cases.join('\n')}
  esac
}
_switchboard_voipms() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local methods="${[...COMMANDS, ...METHODS.map(({ name }) => name)].join(' ')}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "voipms" -- "$current"))
    return
  fi
  [ "\${COMP_WORDS[1]}" = voipms ] || return
  # A value of a parameter: bash takes the = for a word of its own.
  if [ "$current" = "=" ] || [ "$previous" = "=" ]; then return; fi
  case "$previous" in
    --format) COMPREPLY=($(compgen -W "pretty json raw" -- "$current")); return ;;
    help) COMPREPLY=($(compgen -W "$methods" -- "$current")); return ;;
    completion) COMPREPLY=($(compgen -W "bash" -- "$current")); return ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "${OPTIONS.join(' ')}" -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$methods" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$(_switchboard_voipms_parameters "\${COMP_WORDS[2]}")" -- "$current"))
  [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
}
complete -o default -F _switchboard_voipms switchboard
`;
}
