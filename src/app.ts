/** What `compose` makes, as its commands see it. */
import type { Systems } from './mcp/tool.ts';
import type { AuditFile } from './store/files/audit-file.ts';
import type { Switchboard } from './switchboard/port.ts';

export interface App {
  /** Usable at once; its methods wait for the start, and reject with sentences while something is missing. */
  readonly switchboard: Switchboard;
  /** Those of the office. */
  readonly systems: Systems;
  /** What is wrong at this moment, as sentences. Not all of it keeps calls from being placed. */
  status(): readonly string[];
  /** Why no call can be placed at this moment, in sentences without secrets; empty when one can. Looks at nothing outside. */
  readiness(): readonly string[];
  /** Where the server listens by now; null where it does not. */
  listening(): { readonly public: Address | null; readonly private: Address | null };
  /** Resolves when the first start has been tried; never rejects. */
  readonly started: Promise<void>;
  /** Where changes that clients make are put down. */
  readonly audit: AuditFile;
  /** How many calls are under way. */
  liveCalls(): number;
  /** Tries at once what could not be started yet. */
  wake(): void;
  /** From now on no new calls are placed; the live ones go on. */
  retire(): void;
  /** Ends live calls within about `graceMs`, at once when `hurry` resolves, and closes everything. */
  stop(graceMs: number, hurry?: Promise<unknown>): Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}
