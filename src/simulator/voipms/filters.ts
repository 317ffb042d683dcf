import { type Context, fault, given, list, type Method, ok, type Params } from './reply.ts';
import { newId } from './state.ts';

/** A number, a pattern of one, `i` for outside the USA and Canada, `0` for withheld ones. */
const CALLER = /^(i|0|\+?[\d*xXnNzZ.]{3,20})$/;
const ROUTING =
  /^((account|fwd|vm|sip|grp|ivr|recording|queue|cb|tc|disa):\S+|none:|sys:(hangup|busy|noservice|disconnected|dtmf|echo))$/;
const MOST_NOTE = 49;
const FAILOVERS = ['failover_unreachable', 'failover_busy', 'failover_noanswer'] as const;

export const FILTER_METHODS: Readonly<Record<string, Method>> = {
  getCallerIDFiltering: { changes: false, params: 'filtering did', answer: getFilters },
  setCallerIDFiltering: {
    changes: true,
    params: 'filter callerid did routing failover_unreachable failover_busy failover_noanswer note',
    answer: setFilter,
  },
  delCallerIDFiltering: { changes: true, params: 'filtering', answer: delFilter },
};

function getFilters(params: Params, context: Context) {
  const [id, did] = [given(params, 'filtering'), given(params, 'did')];
  const rows = context.state.filters
    .filter((one) => id === null || one.filtering === id)
    .filter((one) => did === null || one.did === did);
  return list('filtering', rows, 'no_filter', context);
}

/** The id is called `filter` here, though it is `filtering` everywhere else; under the wrong name a new filter is made. */
function setFilter(params: Params, context: Context) {
  const { state, faults } = context;
  const id = given(params, 'filter');
  const existing = state.filters.find((one) => one.filtering === id);
  if (id !== null && existing === undefined) return fault('invalid_filter');
  const refusal = refusalOf(params, context);
  if (refusal !== null) return fault(refusal);
  const [callerid, did] = [params.callerid ?? '', params.did ?? ''];
  const twin = state.filters.some((one) => one !== existing && one.callerid === callerid && one.did === did);
  if (faults.refuseTwins && twin) return fault('used_filter');
  const failovers = Object.fromEntries(FAILOVERS.map((name) => [name, given(params, name) ?? 'none:']));
  const fields = { callerid, did, routing: params.routing ?? '', note: params.note ?? '', ...failovers };
  const empty = { failover_unreachable: '', failover_busy: '', failover_noanswer: '' };
  const saved = existing ?? { filtering: newId(state), ...empty, ...fields };
  if (existing === undefined) state.filters.push(saved);
  Object.assign(saved, fields);
  return ok(faults.withoutId ? {} : { filtering: saved.filtering });
}

function refusalOf(params: Params, { state }: Context): string | null {
  const [caller, did, routing] = [given(params, 'callerid'), given(params, 'did'), given(params, 'routing')];
  if (caller === null) return 'missing_callerid';
  if (!CALLER.test(caller)) return 'invalid_callerid';
  if (did === null) return 'missing_did';
  if (did !== 'all' && !state.dids.some((one) => one.did === did)) return 'invalid_did';
  if (routing === null) return 'missing_routing';
  if (!ROUTING.test(routing)) return 'invalid_routing_header';
  if (FAILOVERS.some((name) => given(params, name) !== null && !ROUTING.test(params[name] ?? '')))
    return 'invalid_failover_header';
  return (params.note ?? '').length > MOST_NOTE ? 'invalid_note' : null;
}

function delFilter(params: Params, { state }: Context) {
  const id = given(params, 'filtering');
  if (id === null) return fault('missing_filter');
  if (!state.filters.some((one) => one.filtering === id)) return fault('invalid_filter');
  state.filters = state.filters.filter((one) => one.filtering !== id);
  return ok();
}
