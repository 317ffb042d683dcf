/** Everything that can go otherwise than in a quiet hour. All fields may be turned while the simulator runs; absent means quiet. */
export interface ThreeCxFaults {
  /** The older token stays good when a new one is asked for. By default it is worthless then, as 3CX says. */
  olderTokensStayGood?: boolean;
  /** Answers that go wrong: the first that fits a request is taken, and used up by its `times`. */
  answers?: FaultyAnswer[];
  /** Every answer is so late, in milliseconds. */
  slowMs?: number;
  /** Envelopes say 1, 0 and -1 instead of `Success`, `Rejected` and `Failed`. */
  numericFinalStatus?: boolean;
  /** Answers with 2xx to what changes something have no body; a call that is placed so has no id either. */
  emptyBodies?: boolean;
  /** A list of one row comes as that row alone, without the list around it. */
  oneRowAsObject?: boolean;
  /** Most rows of a page of the configuration API; the rest is behind `@odata.nextLink`. */
  pageCap?: number;
  /** The app's role may not read the call log: 403. */
  noReportRole?: boolean;
  /** A build without the newer call log: 404, and every call is in the older view. */
  olderBuild?: boolean;
  /** Extensions whose list of devices is empty, though they have some. */
  withoutDevices?: string[];
  /** Participants name a device that no list has. */
  foreignDevices?: boolean;
  /** So many of the next events come as null, and what they had to tell is lost. */
  nullEvents?: number;
  /** So many of the next pressed keys come without saying which. */
  nullDigits?: number;
  /** Every change of a participant is told twice. */
  duplicateEvents?: boolean;
  /** Before so many of the next changes another one is told, of a participant that is gone when it is asked for. */
  ghostEvents?: number;
  /** So many of the next events sockets are refused: at the upgrade, or by a close right after it. */
  refuseEvents?: { readonly how: 'http-401' | 'close-1008'; times: number };
}

export interface FaultyAnswer {
  /** Any where absent. */
  readonly method?: string;
  /** Part of the decoded path with its query, or a pattern for it; any where absent. */
  readonly path?: string | RegExp;
  /** Once where absent. */
  times?: number;
  readonly how: FaultyHow;
}

export type FaultyHow =
  /** Refused, and nothing is done. */
  | { readonly kind: 'status'; readonly status: number; readonly body?: unknown; readonly retryAfterSeconds?: number }
  /** 200, but the envelope says `Failed`, and nothing is done. */
  | { readonly kind: 'failed'; readonly reason?: string; readonly reasonText?: string }
  /** Never answered, on a connection that stays open. `applied`: it was done all the same. */
  | { readonly kind: 'silence'; readonly applied: boolean }
  /** Never answered, on a connection that is closed. */
  | { readonly kind: 'broken'; readonly applied: boolean }
  /** Done, and answered so late. */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** Done, and answered without a body. */
  | { readonly kind: 'empty' };

/** The fault that meets this request, if any; it is used up. */
export function takeFault(faults: ThreeCxFaults, method: string, path: string): FaultyHow | null {
  const met = (faults.answers ?? []).find(
    (one) =>
      (one.times ?? 1) > 0 &&
      (one.method === undefined || one.method === method) &&
      (one.path === undefined || (typeof one.path === 'string' ? path.includes(one.path) : one.path.test(path))),
  );
  if (met === undefined) return null;
  met.times = (met.times ?? 1) - 1;
  return met.how;
}
