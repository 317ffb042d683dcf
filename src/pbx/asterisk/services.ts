/** What a server offers beside calls: queues, voicemail, parked calls. Each is null where its module is not loaded. */
import { UserInputError } from '../../errors.ts';
import { type AmiClient, AmiRefusal } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { checkMailbox, countOf, isYes, known } from './names.ts';

export interface Queue {
  readonly queue: string;
  readonly strategy: string;
  readonly callers: number;
  readonly completed: number;
  readonly abandoned: number;
  readonly averageHoldSeconds: number;
  readonly averageTalkSeconds: number;
  /** Share of calls answered within `serviceLevelSeconds`, in percent. */
  readonly serviceLevelPercent: number;
  readonly serviceLevelSeconds: number;
  readonly members: readonly QueueMember[];
  readonly waiting: readonly QueueCaller[];
}

export interface QueueMember {
  readonly name: string;
  readonly device: string;
  readonly status: string;
  readonly paused: boolean;
  readonly callsTaken: number;
  readonly inCall: boolean;
}

export interface QueueCaller {
  readonly position: number;
  readonly channel: string;
  readonly callerNumber: string | null;
  readonly callerName: string | null;
  readonly waitSeconds: number;
}

export interface Mailbox {
  readonly mailbox: string;
  readonly name: string | null;
  readonly newMessages: number;
  readonly oldMessages: number;
  readonly urgentMessages: number | null;
}

export interface ParkedCall {
  readonly lot: string;
  readonly space: string;
  readonly channel: string;
  readonly callerNumber: string | null;
  readonly callerName: string | null;
  readonly parkedSeconds: number;
  readonly timeoutSeconds: number;
}

/** AST_DEVICE_… of Asterisk's devicestate.h. */
const MEMBER_STATUS: Readonly<Record<string, string>> = {
  '0': 'unknown',
  '1': 'idle',
  '2': 'in-use',
  '3': 'busy',
  '4': 'invalid',
  '5': 'unavailable',
  '6': 'ringing',
  '7': 'ringing-in-use',
  '8': 'on-hold',
};

export async function listQueues(ami: AmiClient): Promise<readonly Queue[] | null> {
  const items = await ifLoaded(ami.list('QueueStatus'));
  if (items === null) return null;
  const of = (event: string) => items.filter((item) => item.get('Event') === event);
  const [members, callers] = [of('QueueMember'), of('QueueEntry')];
  return of('QueueParams').map((params) => {
    const queue = params.get('Queue');
    const mine = (item: AmiMessage) => item.get('Queue') === queue;
    return {
      queue,
      strategy: params.get('Strategy'),
      callers: countOf(params.get('Calls')),
      completed: countOf(params.get('Completed')),
      abandoned: countOf(params.get('Abandoned')),
      averageHoldSeconds: countOf(params.get('Holdtime')),
      averageTalkSeconds: countOf(params.get('TalkTime')),
      serviceLevelPercent: Number(params.get('ServicelevelPerf')) || 0,
      serviceLevelSeconds: countOf(params.get('ServiceLevel')),
      members: members.filter(mine).map((member) => ({
        name: member.get('Name'),
        device: member.get('StateInterface') || member.get('Location'),
        status: MEMBER_STATUS[member.get('Status')] ?? 'unknown',
        paused: isYes(member.get('Paused')),
        callsTaken: countOf(member.get('CallsTaken')),
        inCall: isYes(member.get('InCall')),
      })),
      waiting: callers.filter(mine).map((caller) => ({
        position: countOf(caller.get('Position')),
        channel: caller.get('Channel'),
        callerNumber: known(caller.get('CallerIDNum')),
        callerName: known(caller.get('CallerIDName')),
        waitSeconds: countOf(caller.get('Wait')),
      })),
    };
  });
}

/** Of one mailbox, or of all. Fields are copied by name: the list tells mail commands and addresses as well. */
export async function listMailboxes(ami: AmiClient, mailbox?: string): Promise<readonly Mailbox[] | null> {
  const wanted = mailbox === undefined ? undefined : checkMailbox(mailbox);
  const items = await ifLoaded(ami.list('VoicemailUsersList'));
  if (items === null) return null;
  const all = items.map((item) => ({
    mailbox: `${item.get('VoiceMailbox')}@${item.get('VMContext')}`,
    name: known(item.get('Fullname')),
    newMessages: countOf(item.get('NewMessageCount')),
    oldMessages: countOf(item.get('OldMessageCount')),
    urgentMessages: null,
  }));
  return wanted === undefined ? all : [await oneMailbox(ami, all, wanted)];
}

/** MailboxCount counts for any name, and without voicemail too, so only what the list has is asked about. */
async function oneMailbox(ami: AmiClient, all: readonly Mailbox[], name: string): Promise<Mailbox> {
  const full = name.includes('@') ? name : `${name}@default`;
  const listed = all.find(({ mailbox }) => mailbox === full);
  if (!listed)
    throw new UserInputError(
      `There is no mailbox ${full}. asterisk_list_mailboxes without a mailbox shows which ones there are.`,
    );
  const counts = await ami.send('MailboxCount', { Mailbox: full });
  return {
    ...listed,
    newMessages: countOf(counts.get('NewMessages')),
    oldMessages: countOf(counts.get('OldMessages')),
    urgentMessages: countOf(counts.get('UrgMessages')),
  };
}

export async function listParkedCalls(ami: AmiClient): Promise<readonly ParkedCall[] | null> {
  const items = await ifLoaded(ami.list('ParkedCalls'));
  return (
    items?.map((item) => ({
      lot: item.get('Parkinglot'),
      space: item.get('ParkingSpace'),
      channel: item.get('ParkeeChannel'),
      callerNumber: known(item.get('ParkeeCallerIDNum')),
      callerName: known(item.get('ParkeeCallerIDName')),
      parkedSeconds: countOf(item.get('ParkingDuration')),
      timeoutSeconds: countOf(item.get('ParkingTimeout')),
    })) ?? null
  );
}

/** Null where the server has no such action. */
async function ifLoaded<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AmiRefusal && /unknown command/i.test(error.said)) return null;
    throw error;
  }
}
