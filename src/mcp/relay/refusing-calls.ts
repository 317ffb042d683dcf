import type { Switchboard } from '../../switchboard/port.ts';

/** The switchboard (an object of plain functions), except that no call is placed, for this reason. Everything else goes on. */
export function refusingCalls(switchboard: Switchboard, reason: Error): Switchboard {
  return {
    ...switchboard,
    place: () => Promise.reject(reason),
  };
}
