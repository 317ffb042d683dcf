import type { Timing } from '../call/timing.ts';
import type { Limits } from '../call/words.ts';

/** Times that no setting says, in milliseconds; each has a default where it is used. */
export interface AppTiming {
  readonly call?: Partial<Timing>;
  readonly limits?: Partial<Limits>;
  readonly firstTurnSilenceMs?: number;
  readonly modelConnectMs?: number;
  readonly modelHeartbeatMs?: number;
  readonly restMs?: number;
  readonly mediaMs?: number;
  readonly storeBusyMs?: number;
  readonly storeRetriesMs?: readonly number[];
  /** Until what was kept beside the store is given to it again. */
  readonly rescueMs?: number;
}
