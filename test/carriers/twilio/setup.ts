import { afterEach } from 'vitest';
import {
  type ApiAnswer,
  type ApiRequest,
  attach,
  CALLEE,
  callBody,
  callSid,
  listenTo,
  makeRig,
  post,
  STREAM_SID,
  startApi,
} from './rig.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

export const SID = callSid(1);
export const REQUEST = { to: CALLEE, ringMs: 30_000, maxMs: 900_000 };

type Options = Parameters<typeof makeRig>[1];

export async function setUp(
  answer: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer> = () => ({ status: 201, body: callBody(SID) }),
  options: Options = {},
) {
  const api = await startApi(answer);
  const rig = makeRig(api.baseUrl, options);
  cleanups.push(() => rig.carrier.close(), api.stop);
  return { ...rig, api };
}

/** A call that was dialled and bound, with the URLs that Twilio was given. */
export async function dialled(
  answer?: Parameters<typeof setUp>[0],
  onEvent?: Parameters<typeof listenTo>[1],
  options?: Options,
) {
  const rig = await setUp(answer, options);
  const call = listenTo(rig.carrier, onEvent);
  call.line.dial(REQUEST);
  await call.until('carrier.bound');
  const form = rig.api.requests[0]?.form;
  return { ...rig, call, outgoingUrl: form?.get('Url') ?? '', statusUrl: form?.get('StatusCallback') ?? '' };
}

export async function streaming(
  answer?: Parameters<typeof setUp>[0],
  onEvent?: Parameters<typeof listenTo>[1],
  options?: Options,
) {
  const rig = await dialled(answer, onEvent, options);
  const { body: twiml } = await post(rig.carrier, rig.outgoingUrl, { CallSid: SID });
  const socket = attach(rig.carrier, twiml, SID);
  return { ...rig, twiml, socket };
}

export function media(payload: string, timestamp: string): string {
  return `{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"${timestamp}","payload":"${payload}"},"streamSid":"${STREAM_SID}"}`;
}

/** Holds something back until it is opened. */
export function gate(): { readonly promise: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open: () => open() };
}
