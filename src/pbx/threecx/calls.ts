/** Placing, answering and ending calls, and whatever else is done to one that is up. Each counts towards the most in a minute. */
import { ConfigError, UpstreamError, UserInputError } from '../../errors.ts';
import { dropActiveCall } from './active-calls.ts';
import { chosen, doAndSee, liveCallOf, partyOf } from './live-calls.ts';
import { placeCall } from './make-call.ts';
import type { CallChoice, Done, SmsSent, ThreeCxOperations } from './operations.ts';
import { isRefusal } from './refusals.ts';
import { extensionOf, targetOf } from './targets.ts';
import { dropOnce, park, type Transferring, takeBack, transfer } from './transfers.ts';

export function callsOf(
  office: Transferring,
): Pick<ThreeCxOperations, 'makeCall' | 'answer' | 'transfer' | 'hold' | 'resume' | 'drop' | 'sendMessage'> {
  return {
    makeCall: (request) => makeCall(office, request),
    answer: (choice) => answer(office, choice),
    transfer: (request) => transfer(office, request),
    hold: (request) => park(office, request),
    resume: (request) => takeBack(office, request),
    drop: (choice) => drop(office, choice),
    sendMessage: (request) => sendMessage(office, request),
  };
}

async function makeCall(office: Transferring, request: Parameters<ThreeCxOperations['makeCall']>[0]): Promise<Done> {
  const from = extensionOf(request.from, office.options.defaultExtension);
  const destination = await targetOf(office.xapi, request.to, office.options);
  office.mayChange();
  return await placeCall(office, { from, destination, ringSeconds: request.ringSeconds });
}

async function answer(office: Transferring, choice: CallChoice): Promise<Done> {
  const { callControl, options } = office;
  const call = await chosen(callControl, choice, { fallback: options.defaultExtension, statuses: ['Ringing'] });
  if (call.status !== 'Ringing')
    throw new UserInputError(`The call ${call.id} of extension ${call.dn} does not ring: it is ${call.status}.`);
  if (call.dn === options.clientId)
    throw new UserInputError(
      `A call to the route point ${call.dn} is answered by the agent, or not at all: whoever calls would hear nothing.`,
    );
  if (!liveCallOf(call, options.clientId).canAnswer) throw cannotAnswer(call.dn);
  office.mayChange();
  const { now, isDone } = await doAndSee(
    callControl,
    options.clock,
    call,
    () =>
      callControl.act(call.dn, call.id, 'answer').catch((error: unknown) => {
        throw isRefusal(error, 422) ? cannotAnswer(call.dn, error) : error;
      }),
    (seen) => seen?.status === 'Connected',
  );
  const after = isDone ? 'It is up.' : `It is ${now === null ? 'gone' : `still ${now.status}`}.`;
  return {
    call: now === null ? null : liveCallOf(now, options.clientId),
    message: `3CX had the telephone of extension ${call.dn} answer the call of ${partyOf(call)}. ${after}`,
    untested: [],
  };
}

function cannotAnswer(dn: string, cause?: unknown): UpstreamError {
  return new UpstreamError(
    `3CX cannot make the telephone of extension ${dn} answer this call: it can only with telephones that let it (uaCSTA), and while they ring. A person has to pick up, or the call can be sent on with threecx_transfer_call.`,
    { retryable: false, code: 'cannot-answer', cause },
  );
}

async function drop(
  office: Transferring,
  choice: CallChoice & { readonly activeCallId?: number | undefined },
): Promise<Done> {
  const { callControl, options, xapi } = office;
  if (choice.activeCallId !== undefined) {
    if (!Number.isSafeInteger(choice.activeCallId)) throw new UserInputError('activeCallId is a whole number.');
    office.mayChange();
    return await dropActiveCall(xapi, options.clock, choice.activeCallId);
  }
  const call = await chosen(callControl, choice, { fallback: options.defaultExtension });
  office.mayChange();
  const { now, isDone } = await doAndSee(
    callControl,
    options.clock,
    call,
    () => dropOnce(callControl, call),
    (seen) => seen === null,
  );
  return {
    call: now === null ? null : liveCallOf(now, options.clientId),
    message: isDone
      ? `The call of extension ${call.dn} with ${partyOf(call)} has ended.`
      : `3CX took it on to end the call of extension ${call.dn} with ${partyOf(call)}, but still shows it.`,
    untested: [],
  };
}

const SMS_SETTINGS = ['VOIPMS_API_USERNAME', 'VOIPMS_API_PASSWORD', 'VOIPMS_SMS_NUMBER'];

async function sendMessage(
  { options, mayChange }: Transferring,
  request: { readonly to: string; readonly text: string },
): Promise<SmsSent> {
  if (options.sendSms === null)
    throw new ConfigError(
      `3CX’s API cannot send messages; it only shows those that there are. Switchboard can send text messages by VoIP.ms when ${SMS_SETTINGS.join(', ')} are set.`,
      { settings: SMS_SETTINGS },
    );
  if (request.text.trim() === '') throw new UserInputError('The message is empty.');
  const verdict = options.numbers.verdictOf(request.to.trim());
  if (!verdict.ok) throw new UserInputError(verdict.reason);
  mayChange();
  return await options.sendSms({ to: verdict.e164, text: request.text });
}
