/** Which of the three lists an event of the manager makes out of date. */
import { createNotices, type Notices } from '../notices.ts';
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

export function listOfEvent(name: string): LiveList | null {
  return CAUSES[name] ?? null;
}

export interface LiveLists {
  /** Tells which list has changed, and all of them when the connection comes back. */
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

function watchLists(ami: AmiClient, clock: AmiClock, changed: (list: LiveList) => void): Notices<LiveList> {
  const { note, stop } = createNotices(clock, changed);
  const stops = [
    ami.onEvent(({ name }) => {
      const list = listOfEvent(name);
      if (list !== null) note(list);
    }),
    ami.onStatus((status) => {
      if (status === 'connected') for (const list of LIVE_LISTS) note(list);
    }),
    stop,
  ];
  return {
    note,
    stop() {
      for (const end of stops) end();
    },
  };
}
