/** Which of the three lists an event of the manager makes out of date. */
import type { AmiClient, AmiClock } from './ami/client.ts';

export const LIVE_LISTS = ['channels', 'conferences', 'extensions'] as const;
export type LiveList = (typeof LIVE_LISTS)[number];

const CAUSES: Readonly<Record<string, LiveList>> = {
  Newchannel: 'channels',
  Hangup: 'channels',
  Newstate: 'channels',
  Rename: 'channels',
  NewConnectedLine: 'channels',
  NewCallerid: 'channels',
  BridgeEnter: 'channels',
  BridgeLeave: 'channels',
  ConfbridgeStart: 'conferences',
  ConfbridgeEnd: 'conferences',
  ConfbridgeJoin: 'conferences',
  ConfbridgeLeave: 'conferences',
  ConfbridgeMute: 'conferences',
  ConfbridgeUnmute: 'conferences',
  ExtensionStatus: 'extensions',
  DeviceStateChange: 'extensions',
  PeerStatus: 'extensions',
  ContactStatus: 'extensions',
};

/** A call makes a dozen events within milliseconds; one notice is enough, and a busy office's phones are not asked all the time. */
const CALM_MS = 250;

export function listOfEvent(name: string): LiveList | null {
  return CAUSES[name] ?? null;
}

export interface LiveLists {
  /** Tells which list has changed, at most once in `CALM_MS` each, and all of them when the connection comes back. */
  watch(changed: (list: LiveList) => void): () => void;
  /** For a change that no event tells of. */
  note(list: LiveList): void;
}

export function createLiveLists(ami: AmiClient, clock: AmiClock): LiveLists {
  const watchers = new Set<(list: LiveList) => void>();
  return {
    watch(changed) {
      const { note, stop } = watchLists(ami, clock, changed);
      watchers.add(note);
      return () => {
        watchers.delete(note);
        stop();
      };
    },
    note: (list) => {
      for (const note of watchers) note(list);
    },
  };
}

function watchLists(
  ami: AmiClient,
  clock: AmiClock,
  changed: (list: LiveList) => void,
): { readonly note: (list: LiveList) => void; readonly stop: () => void } {
  const waiting = new Map<LiveList, () => void>();
  const note = (list: LiveList): void => {
    if (waiting.has(list)) return;
    const cancel = clock.setTimer(() => {
      waiting.delete(list);
      changed(list);
    }, CALM_MS);
    waiting.set(list, cancel);
  };
  const stops = [
    ami.onEvent(({ name }) => {
      const list = listOfEvent(name);
      if (list !== null) note(list);
    }),
    ami.onStatus((status) => {
      if (status === 'connected') for (const list of LIVE_LISTS) note(list);
    }),
  ];
  const stop = (): void => {
    for (const end of stops) end();
    for (const cancel of waiting.values()) cancel();
    waiting.clear();
  };
  return { note, stop };
}
