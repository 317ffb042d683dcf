import type { Line, LineOptions } from '../carrier.ts';
import type { Participant, ThreeCxClock, ThreeCxExchange, ThreeCxLog } from './exchange.ts';

export interface LineSetUp {
  readonly options: LineOptions;
  readonly exchange: ThreeCxExchange;
  readonly routePoint: string;
  /** Rejects with one of the four errors unless 3CX lists something to be called under this number without +. */
  readonly checkExtension: (extension: string) => Promise<void>;
  readonly clock: ThreeCxClock;
  readonly logger: ThreeCxLog;
  /** A call that comes in and rings. */
  readonly incoming: Participant | null;
  readonly lines: Lines;
}

/** What a line needs of its carrier. */
export interface Lines {
  /** Until this is settled, who rings may be a call that we place. */
  placing(placed: Promise<unknown>): void;
  /** The participant that was dialled without an answer, among those that nobody has; rejects when 3CX does not say. */
  find(seeker: Line, to: string, sinceWallMs: number): Promise<Participant | 'none' | 'unsure'>;
  /** Somebody is on a line that nobody looks after, and it could not be put down: that is tried again. */
  dropLate(carrierCallId: string): void;
  /** It is released. */
  forget(): void;
}
