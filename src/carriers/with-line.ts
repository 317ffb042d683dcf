import type { Carrier, Line, LineOptions } from './carrier.ts';

/** The carrier as whoever takes a call that comes in sees it: its line is that call, and it stays open when they close it. */
export function withLine(carrier: Carrier, line: (options: LineOptions) => Line): Carrier {
  const { name, traits, webhooks, sockets } = carrier;
  return {
    ...{ name, traits, webhooks, sockets, line },
    preflight: () => carrier.preflight(),
    hangUpStranded: (carrierCallId) => carrier.hangUpStranded(carrierCallId),
    listCalls: (query) => carrier.listCalls(query),
    close: () => undefined,
  };
}
