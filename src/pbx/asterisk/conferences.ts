/** Conferences of app_confbridge (Asterisk 22: `ConfbridgeList…` need the class reporting, the rest call). */
import { UserInputError } from '../../errors.ts';
import { type AmiClient, AmiRefusal } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { checkConference, countOf, isPlainConference, isYes, known } from './names.ts';

export interface Conference {
  readonly conference: string;
  readonly participants: number;
  readonly marked: number;
  readonly locked: boolean;
  readonly muted: boolean;
}

export interface Participant {
  readonly channel: string;
  readonly callerNumber: string | null;
  readonly callerName: string | null;
  readonly admin: boolean;
  readonly marked: boolean;
  readonly waiting: boolean;
  readonly muted: boolean;
  /** Null where the server does not watch for speech. */
  readonly talking: boolean | null;
  readonly answeredSeconds: number;
}

export type ParticipantAction = 'kick' | 'mute' | 'unmute';

const ACTIONS = { kick: 'ConfbridgeKick', mute: 'ConfbridgeMute', unmute: 'ConfbridgeUnmute' } as const;
/** Asterisk answers with an error where it could answer with an empty list. */
const NONE_ACTIVE = /^No active conferences/i;
const NO_SUCH = /^No (active conferences|Conference by that name)/i;

export async function listConferences(ami: AmiClient): Promise<readonly Conference[]> {
  const rooms = await orEmpty(ami.list('ConfbridgeListRooms'), NONE_ACTIVE);
  return rooms.map((room) => ({
    conference: room.get('Conference'),
    participants: countOf(room.get('Parties')),
    marked: countOf(room.get('Marked')),
    locked: isYes(room.get('Locked')),
    muted: isYes(room.get('Muted')),
  }));
}

/** Empty when nobody is in it: Asterisk knows a conference only while somebody is. */
export async function listParticipants(ami: AmiClient, conference: string): Promise<readonly Participant[]> {
  const name = await conferenceName(ami, conference);
  const items = await orEmpty(ami.list('ConfbridgeList', { Conference: name }), NO_SUCH);
  return items.map(participantOf);
}

/** `who` is a channel, or a caller's number that is in the conference once. Answers with whom it was done to. */
export async function actOnParticipant(
  ami: AmiClient,
  action: ParticipantAction,
  conference: string,
  who: string,
): Promise<Participant> {
  const name = await conferenceName(ami, conference);
  const participant = find(await listParticipants(ami, name), name, who);
  try {
    await ami.send(ACTIONS[action], { Conference: name, Channel: participant.channel });
  } catch (error) {
    if (error instanceof AmiRefusal && /^No (Conference|Channel) by that name/i.test(error.said))
      throw new UserInputError(`${participant.channel} has just left conference ${name}.`, { cause: error });
    throw error;
  }
  return participant;
}

/** Nobody new comes into a locked conference. */
export async function setLock(ami: AmiClient, conference: string, locked: boolean): Promise<void> {
  const name = await conferenceName(ami, conference);
  try {
    await ami.send(locked ? 'ConfbridgeLock' : 'ConfbridgeUnlock', { Conference: name });
  } catch (error) {
    if (error instanceof AmiRefusal && NO_SUCH.test(error.said)) throw nobodyIn(name);
    throw error;
  }
}

async function conferenceName(ami: AmiClient, given: string): Promise<string> {
  // No name holds a control character, so that none is asked about.
  const underWay =
    isPlainConference(given) || /\p{Cc}/u.test(given.trim())
      ? []
      : (await listConferences(ami)).map(({ conference }) => conference);
  return checkConference(given, underWay);
}

function find(participants: readonly Participant[], conference: string, who: string): Participant {
  if (participants.length === 0) throw nobodyIn(conference);
  const wanted = who.trim();
  const byChannel = participants.find(({ channel }) => channel === wanted);
  if (byChannel) return byChannel;
  const byNumber = participants.filter(({ callerNumber }) => callerNumber === wanted);
  const [only] = byNumber;
  if (only && byNumber.length === 1) return only;
  const there = participants.map(({ channel, callerNumber }) => `${channel} (${callerNumber ?? 'number unknown'})`);
  const why = byNumber.length > 1 ? 'is there more than once; name the channel' : 'is not in it';
  throw new UserInputError(
    `${JSON.stringify(wanted.slice(0, 60))} ${why}. In conference ${conference} are: ${there.slice(0, 20).join(', ')}.`,
  );
}

function nobodyIn(conference: string): UserInputError {
  return new UserInputError(
    `Nobody is in conference ${conference} at the moment. asterisk_list_conferences tells which ones are under way.`,
  );
}

function participantOf(item: AmiMessage): Participant {
  const talking = item.get('Talking');
  return {
    channel: item.get('Channel'),
    callerNumber: known(item.get('CallerIDNum')),
    callerName: known(item.get('CallerIDName')),
    admin: isYes(item.get('Admin')),
    marked: isYes(item.get('MarkedUser')),
    waiting: isYes(item.get('Waiting')),
    muted: isYes(item.get('Muted')),
    talking: talking === '' ? null : isYes(talking),
    answeredSeconds: countOf(item.get('AnsweredTime')),
  };
}

/** The items; none where Asterisk says in an error that there are none. */
export async function orEmpty(
  listing: Promise<readonly AmiMessage[]>,
  nothing: RegExp,
): Promise<readonly AmiMessage[]> {
  try {
    return await listing;
  } catch (error) {
    if (error instanceof AmiRefusal && nothing.test(error.said)) return [];
    throw error;
  }
}
