import type { CallPolicy } from '../call/events.ts';
import type { Limits, Via } from '../call/words.ts';

/** What the switchboard takes of the settings. */
export interface SwitchboardSettings {
  readonly simulated: boolean;
  /** Try the carrier's way to us before a call is placed. */
  readonly preflight: boolean;
  readonly voice: string;
  readonly language: string;
  readonly disclose: boolean;
  /** Calls are recorded unless their requests say otherwise. */
  readonly record?: boolean;
  /** How calls go that do not say it. */
  readonly via?: Via;
  /** What the agent is told about calls that come in; without it none is taken. */
  readonly inboundContext?: string | null;
  /** Country of the office, for its extensions. */
  readonly officeCountries?: Readonly<Record<Exclude<Via, 'twilio'>, string>>;
  readonly limits: Limits;
  readonly policy: CallPolicy;
  readonly allowedNumbers: readonly string[];
  readonly blockedNumbers: readonly string[];
  readonly maxConcurrentCalls: number;
  readonly maxCallsPerHour: number;
}
