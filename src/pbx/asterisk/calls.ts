/** The server itself, the channels that are up, and placing or ending calls between telephones. */
import { UpstreamError, UserInputError } from '../../errors.ts';
import { type AmiClient, AmiRefusal, AmiUncertain } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { endpointOf, listedExtension } from './extensions.ts';
import { countOf, isChannelName, known } from './names.ts';

export interface SystemStatus {
  readonly version: string;
  readonly managerVersion: string;
  readonly systemName: string | null;
  readonly startedAt: string | null;
  readonly reloadedAt: string | null;
  readonly activeCalls: number;
  readonly processedCalls: number;
  readonly cdrEnabled: boolean;
}

export interface Channel {
  readonly channel: string;
  readonly state: string;
  readonly callerNumber: string | null;
  readonly callerName: string | null;
  readonly connectedNumber: string | null;
  readonly connectedName: string | null;
  readonly extension: string | null;
  readonly context: string | null;
  readonly application: string | null;
  readonly durationSeconds: number;
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly bridgeId: string | null;
}

export interface Origination {
  /** `answered` says only that the first extension took it; then the other side is rung. */
  readonly result: 'answered' | 'no-answer' | 'busy' | 'failed';
  /** Uniqueid of the call in Asterisk, and `linkedid` in its call records. */
  readonly uniqueId: string;
}

export async function systemStatus(ami: AmiClient): Promise<SystemStatus> {
  const [status, settings] = await Promise.all([ami.send('CoreStatus'), ami.send('CoreSettings')]);
  return {
    version: settings.get('AsteriskVersion'),
    managerVersion: settings.get('AMIversion'),
    systemName: known(settings.get('SystemName')),
    startedAt: moment(status, 'CoreStartup'),
    reloadedAt: moment(status, 'CoreReload'),
    activeCalls: countOf(status.get('CoreCurrentCalls')),
    processedCalls: countOf(status.get('CoreProcessedCalls')),
    cdrEnabled: /^yes$/i.test(settings.get('CoreCDRenabled')),
  };
}

/** In the server's own local time, as it does not say which zone that is. */
function moment(status: AmiMessage, name: string): string | null {
  const [date, time] = [status.get(`${name}Date`), status.get(`${name}Time`)];
  return date === '' || time === '' ? null : `${date} ${time}`;
}

export async function listChannels(ami: AmiClient): Promise<readonly Channel[]> {
  const items = await ami.list('CoreShowChannels');
  // A channel that changes while Asterisk lists them is listed twice: what it is now comes last.
  const once = new Map(items.map((item) => [item.get('Channel'), item]));
  return [...once.values()].map((item) => ({
    channel: item.get('Channel'),
    state: item.get('ChannelStateDesc').toLowerCase(),
    callerNumber: known(item.get('CallerIDNum')),
    callerName: known(item.get('CallerIDName')),
    connectedNumber: known(item.get('ConnectedLineNum')),
    connectedName: known(item.get('ConnectedLineName')),
    extension: known(item.get('Exten')),
    context: known(item.get('Context')),
    // Its data is left out: it may hold whatever the dial plan passes on.
    application: known(item.get('Application')),
    durationSeconds: secondsOf(item.get('Duration')),
    uniqueId: item.get('Uniqueid'),
    linkedId: item.get('Linkedid'),
    bridgeId: known(item.get('BridgeId')),
  }));
}

/** Exactly one channel of those that are up: a pattern would hang up whatever matches it. */
export async function hangUpChannel(ami: AmiClient, given: string): Promise<Channel> {
  const name = given.trim();
  const channels = await listChannels(ami);
  const channel = channels.find((one) => one.channel === name);
  if (!channel || !isChannelName(name)) {
    const up = channels.slice(0, 20).map((one) => one.channel);
    throw new UserInputError(
      `No channel of the name ${JSON.stringify(name.slice(0, 80))} is up. ${up.length === 0 ? 'None is up at all.' : `Up are ${up.join(', ')}.`}`,
    );
  }
  try {
    await ami.send('Hangup', { Channel: name, Cause: 16 });
  } catch (error) {
    if (!(error instanceof AmiRefusal && /no such channel/i.test(error.said))) throw error;
  }
  return channel;
}

export interface OriginateRequest {
  /** The extension that is rung first; it must be one that Asterisk lists. */
  readonly from: string;
  /** An extension, or what is dialled for an outside number: checked before. */
  readonly to: string;
  /** The one context in which it is placed. */
  readonly context: string;
  readonly callerId: string;
  readonly ringMs: number;
  readonly uniqueId: string;
}

/** Rings `from`, and when it is answered dials `to` for it in the fixed context. Resolves when the first is answered or has not. */
export async function originateCall(ami: AmiClient, request: OriginateRequest): Promise<Origination> {
  const endpoint = endpointOf(await listedExtension(ami, request.from));
  if (endpoint === null) throw new UserInputError(`Extension ${request.from} has no phone that can be rung.`);
  const { uniqueId, ringMs } = request;
  try {
    const end = await ami.outcome(
      'Originate',
      {
        Channel: `PJSIP/${endpoint}`,
        Context: request.context,
        Exten: request.to,
        Priority: 1,
        CallerID: request.callerId,
        Timeout: ringMs,
        ChannelId: uniqueId,
        Async: 'true',
      },
      { event: 'OriginateResponse', timeoutMs: ringMs + 5_000 },
    );
    return { uniqueId, result: ORIGINATE_REASONS[end.get('Reason')] ?? 'failed' };
  } catch (error) {
    if (error instanceof AmiUncertain) throw uncertainOriginate(error, request);
    throw error instanceof AmiRefusal ? refusedOriginate(error, request) : error;
  }
}

/** Of OriginateResponse: 4 answered, 3 rang until the timeout, 5 busy, anything else failed (measured on Asterisk 22). */
export const ORIGINATE_REASONS: Readonly<Record<string, Origination['result']>> = {
  '4': 'answered',
  '3': 'no-answer',
  '5': 'busy',
};

/** Never to be repeated blindly: the first call may be ringing. */
function uncertainOriginate(cause: AmiUncertain, { from }: OriginateRequest): UpstreamError {
  return new UpstreamError(
    `Asterisk did not say how the call went, so ${from} may have been rung: look with asterisk_list_channels, and ask the user, before trying again. If this happens with every call, manager.conf does not give the account of AMI_USERNAME read = call.`,
    { retryable: false, cause },
  );
}

function refusedOriginate(error: AmiRefusal, { to, context }: OriginateRequest): Error {
  if (/extension does not exist/i.test(error.said))
    return new UserInputError(
      `Asterisk's dial plan has no way to ${to} in the context ${context}. Check the number, and ASTERISK_CONTEXT.`,
      { cause: error },
    );
  if (/permission denied/i.test(error.said))
    return new UpstreamError(
      'The account of AMI_USERNAME may not place calls: manager.conf must give it write = originate.',
      {
        retryable: false,
        cause: error,
      },
    );
  return error;
}

/** `HH:MM:SS`, with more than 24 hours where it lasted so long. */
function secondsOf(duration: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = duration.split(':').map(Number);
  const total = hours * 3_600 + minutes * 60 + seconds;
  return Number.isFinite(total) ? total : 0;
}
