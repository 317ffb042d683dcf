import type { AccountState } from './state.ts';

/**
 * What a request meets instead of its ordinary answer. `…-before`: nothing was done yet; `…-after`: it was.
 * A status is answered as the vendor answers it, and nothing is done.
 */
export type Trouble =
  | 'html'
  | 'xml'
  | 'bad-gateway'
  | 'empty'
  | 'empty-html'
  | 'hang-before'
  | 'hang-after'
  | 'drop-before'
  | 'drop-after'
  | { readonly status: string };

/** Everything that can go otherwise than on a quiet day. May be changed at any time. */
export interface VoipMsFaults {
  /** By method, or `*` for every one. Of a list each request uses up one; one alone stays. */
  trouble: Record<string, Trouble | Trouble[]>;
  /** Every call is refused with it. `ip_not_enabled` lets getIP pass, as the vendor does. */
  refuse: 'ip_not_enabled' | 'api_not_enabled' | 'invalid_credentials' | 'method_maintenance' | null;
  /** A list of one row comes as the bare row. */
  oneRowAsObject: boolean;
  /** Under which name getPhonebookGroups lists: the vendor's page and the field disagree. */
  groupsListKey: 'phonebooks' | 'phonebook_groups';
  /** A change that succeeds is answered with an empty body. */
  emptySuccess: boolean;
  /** A create is answered without the id of what it made. */
  withoutId: boolean;
  /** Requests within a minute after which `api_limit_exceeded` is answered; the vendor does not publish its own. */
  requestsPerMinute: number | null;
  /** Messages within 24 hours after which `limit_reached` is answered. */
  messagesPerDay: number;
  /** Before every answer. */
  delayMs: number;
  /** In which order a group's members are told. */
  membersOrder: 'as-written' | 'reversed' | 'sorted';
  /** What a group is answered that is written without any member. */
  emptyMembers: 'accepted' | 'missing_member';
  /** Entries do not tell of a change of their group's members. */
  entriesLag: boolean;
  /** A second filter of the same caller and DID is refused with `used_filter`. */
  refuseTwins: boolean;
  /** How calls without a transcription are told. */
  noTranscriptions: 'empty-list' | 'no-field' | 'no_recording';
  /** A recording is told without its sound, as one that is not ready. */
  noSound: boolean;
  /** Somebody else at work in the portal: called before each change is made, and may change the state. */
  beforeWrite: ((method: string, params: Readonly<Record<string, string>>, state: AccountState) => void) | null;
}

export function quietDay(): VoipMsFaults {
  return {
    trouble: {},
    refuse: null,
    oneRowAsObject: false,
    groupsListKey: 'phonebooks',
    emptySuccess: false,
    withoutId: false,
    requestsPerMinute: null,
    messagesPerDay: 100,
    delayMs: 0,
    membersOrder: 'as-written',
    emptyMembers: 'accepted',
    entriesLag: false,
    refuseTwins: false,
    noTranscriptions: 'empty-list',
    noSound: false,
    beforeWrite: null,
  };
}
