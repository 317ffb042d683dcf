/** What an account holds. Numbers are text, as they are on the wire. */

export interface Entry {
  readonly phonebook: string;
  speed_dial: string;
  name: string;
  number: string;
  callerid: string;
  note: string;
  /** Id of its group, or ''. */
  group: string;
}

export interface Group {
  readonly phonebook_group: string;
  name: string;
  /** Ids of entries, in the order in which they were written. */
  members: string[];
}

export interface Filter {
  readonly filtering: string;
  callerid: string;
  did: string;
  routing: string;
  failover_unreachable: string;
  failover_busy: string;
  failover_noanswer: string;
  note: string;
}

export interface Call {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly callerid: string;
  readonly destination: string;
  readonly description: string;
  readonly account: string;
  readonly disposition: 'ANSWERED' | 'NO ANSWER' | 'BUSY' | 'FAILED';
  readonly seconds: number;
  readonly rate: string;
  readonly total: string;
  readonly uniqueid: string;
  readonly direction: 'Incoming' | 'Outgoing';
}

export interface Recording {
  /** Opaque, and looks like base64. */
  readonly callrecording: string;
  readonly atMs: number;
  readonly destination: string;
  readonly type: 'Incoming' | 'Outgoing';
  readonly account: string;
  readonly seconds: number;
}

export interface Transcription {
  readonly account: string;
  readonly atMs: number;
  readonly seconds: number;
  readonly type: 'Incoming' | 'Outgoing';
  readonly speakers: readonly string[];
  readonly phrases: readonly { readonly afterSeconds: number; readonly speaker: number; readonly phrase: string }[];
}

export interface Message {
  readonly id: string;
  readonly atMs: number;
  /** 1 was received, 0 was sent. */
  readonly type: '0' | '1';
  readonly did: string;
  readonly contact: string;
  readonly message: string;
}

export interface AccountState {
  balance: string;
  readonly dids: Readonly<Record<string, string>>[];
  readonly subAccounts: Readonly<Record<string, string>>[];
  entries: Entry[];
  groups: Group[];
  filters: Filter[];
  calls: Call[];
  recordings: Recording[];
  transcriptions: Transcription[];
  messages: Message[];
  /** Recordings that were sent by e-mail. */
  readonly emails: { readonly account: string; readonly callrecording: string; readonly email: string }[];
  nextId: number;
}

/** The next id, which the account has not used before. */
export function newId(state: AccountState): string {
  state.nextId += 1;
  return String(state.nextId);
}
