import type { Switchboard } from '../../switchboard/port.ts';

/** The switchboard (an object of plain functions), except that no call is placed while `why` gives a reason; it rejects with that. Everything else goes on. */
export function refusingCalls(switchboard: Switchboard, why: () => Error | null): Switchboard {
  return {
    ...switchboard,
    place: async (request) => {
      const reason = why();
      if (reason !== null) throw reason;
      return switchboard.place(request);
    },
  };
}
