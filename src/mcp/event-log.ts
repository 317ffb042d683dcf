/** The latest events of one client's streams, for a client that comes back after its connection broke (MCP 2025-11-25, "Resumability"). */
export interface EventLog<Message> {
  storeEvent(streamId: string, message: Message): Promise<string>;
  /** Undefined for an event that is not kept any more, or never was. */
  getStreamIdForEventId(eventId: string): Promise<string | undefined>;
  replayEventsAfter(
    eventId: string,
    to: { send: (eventId: string, message: Message) => Promise<void> },
  ): Promise<string>;
  /** What came on the stream of an event after it; null for an event that is not kept any more, or never was. */
  since(eventId: string): readonly KeptEvent<Message>[] | null;
  /** The latest message of the stream of an event: of those of a stream it is dropped last. */
  latest(eventId: string): Message | null;
}

export interface KeptEvent<Message> {
  readonly eventId: string;
  readonly message: Message;
}

interface Kept<Message> {
  readonly id: number;
  readonly streamId: string;
  readonly message: Message;
  readonly letters: number;
}

const MOST_EVENTS = 500;
const MOST_LETTERS = 2 * 1024 * 1024;

/** Keeps the latest ones, a bounded number of a bounded size. */
export function createEventLog<Message>(mostEvents = MOST_EVENTS, mostLetters = MOST_LETTERS): EventLog<Message> {
  const kept: Kept<Message>[] = [];
  let lastId = 0;
  let letters = 0;
  const find = (eventId: string) => kept.find(({ id }) => String(id) === eventId);
  const since = (eventId: string): readonly KeptEvent<Message>[] | null => {
    const last = find(eventId);
    if (last === undefined) return null;
    const missed = kept.filter(({ id, streamId }) => streamId === last.streamId && id > last.id);
    return missed.map(({ id, message }) => ({ eventId: String(id), message }));
  };
  return {
    storeEvent: async (streamId, message) => {
      lastId += 1;
      const event = { id: lastId, streamId, message, letters: JSON.stringify(message).length };
      kept.push(event);
      letters += event.letters;
      while (kept.length > mostEvents || (letters > mostLetters && kept.length > 1))
        letters -= kept.shift()?.letters ?? 0;
      return String(lastId);
    },
    getStreamIdForEventId: async (eventId) => find(eventId)?.streamId,
    replayEventsAfter: async (eventId, { send }) => {
      const streamId = find(eventId)?.streamId ?? '';
      for (const missed of since(eventId) ?? []) await send(missed.eventId, missed.message);
      return streamId;
    },
    since,
    latest: (eventId) => since(eventId)?.at(-1)?.message ?? find(eventId)?.message ?? null,
  };
}
