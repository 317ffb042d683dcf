/** Calls at an extension: which one is meant, and what has become of it. */
import { UserInputError } from '../../errors.ts';
import type { CallControl, CallControlClock, Participant } from './call-control.ts';
import type { CallChoice, LiveCall } from './operations.ts';
import { isUncertain, uncertain } from './refusals.ts';
import { pause } from './rest.ts';
import { extensionOf } from './targets.ts';

/** `routePoint` is the app's own DN, whose calls the agent answers and nobody else. */
export function liveCallOf(participant: Participant, routePoint: string): LiveCall {
  const { dn, id, callId, status, partyNumber, partyDn, partyName, directControl } = participant;
  return {
    extension: dn,
    participantId: id,
    callId,
    status,
    party: partyNumber ?? partyDn,
    partyName,
    canAnswer: directControl && dn !== routePoint,
  };
}

/** What others are called by in messages: numbers only (parking places have letters), as names are text of strangers. */
export function partyOf(participant: Participant): string {
  const party = participant.partyNumber ?? participant.partyDn ?? '';
  return /^([A-Za-z]{0,3}|\+)[0-9*#]{1,30}$/.test(party) ? party : 'the other side';
}

/**
 * The one that is named, or the only one there is (of those with a status in `statuses`, where any are named).
 * @throws UserInputError that lists the calls there are
 */
export async function chosen(
  callControl: CallControl,
  choice: CallChoice,
  { fallback, statuses }: { readonly fallback: string | null; readonly statuses?: readonly string[] },
): Promise<Participant> {
  const dn = extensionOf(choice.extension, fallback);
  const all = await callControl.participants(dn);
  if (choice.participantId !== undefined) {
    const named = all.find((one) => one.id === choice.participantId);
    if (named !== undefined) return named;
    throw new UserInputError(`Extension ${dn} has no call ${choice.participantId} any more. ${listed(all)}`);
  }
  const fitting = statuses === undefined ? all : all.filter((one) => statuses.includes(one.status));
  const [only, ...others] = fitting;
  if (only === undefined)
    throw new UserInputError(
      all.length === 0
        ? `Extension ${dn} has no call at the moment.`
        : `Extension ${dn} has no call that is ${(statuses ?? []).join(' or ')}. ${listed(all)}`,
    );
  if (others.length > 0)
    throw new UserInputError(`Extension ${dn} has several calls: say which one. ${listed(fitting)}`);
  return only;
}

function listed(calls: readonly Participant[]): string {
  if (calls.length === 0) return 'It has none.';
  return `Its calls: ${calls.map((one) => `participantId ${one.id} (${one.status}, ${partyOf(one)})`).join('; ')}.`;
}

/** What a change does shows a moment after 3CX has said yes. */
const MOST_LOOKS = 10;
const LOOK_MS = 100;

/** What a look shows when `isDone` or when there was time enough. */
export async function seenWhen<Now>(
  clock: CallControlClock,
  look: () => Promise<Now>,
  isDone: (now: Now) => boolean,
): Promise<Now> {
  for (let looks = 1; ; looks += 1) {
    const now = await look();
    if (isDone(now) || looks >= MOST_LOOKS) return now;
    await pause(clock, LOOK_MS);
  }
}

export interface Seen {
  readonly now: Participant | null;
  readonly isDone: boolean;
  /** 3CX said that it did it. Else a call that is gone may as well have ended by itself. */
  readonly isSure: boolean;
}

/**
 * Does it once, and looks at the call. Where 3CX did not say whether it was done, what is seen decides: done, or an UpstreamError that says
 * that it is not known.
 */
export async function doAndSee(
  callControl: CallControl,
  clock: CallControlClock,
  participant: Participant,
  change: () => Promise<void>,
  isDone: (now: Participant | null) => boolean,
): Promise<Seen> {
  let doubt: Error | null = null;
  try {
    await change();
  } catch (error) {
    if (!isUncertain(error)) throw error;
    doubt = error;
  }
  const look = () => callControl.participant(participant.dn, participant.id);
  const now = await seenWhen(clock, look, isDone).catch((error: unknown) => {
    throw uncertain(
      `${doubt === null ? '3CX took it on' : '3CX did not say whether it was done'}, and the call could not be looked at afterwards. Look at threecx://active-calls before anything is tried again.`,
      error,
    );
  });
  if (doubt !== null && !isDone(now))
    throw uncertain(
      `${doubt.message} The call is ${now === null ? 'gone' : `still ${now.status}`}. Look again, and ask the user, before anything is tried again.`,
      doubt,
    );
  return { now, isDone: isDone(now), isSure: doubt === null };
}
