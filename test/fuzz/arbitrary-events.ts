/** Any event of the core, with ids from small pools so that they collide. */
import fc from 'fast-check';
import type { Happening } from '../call/machine.ts';

export const REQUEST = {
  type: 'call.requested',
  brief: {
    to: '+14155550123',
    context: 'Book a table.',
    language: 'en',
    voice: 'sage',
    disclose: true,
    transferTo: ['1003'],
  },
  limits: { ringMs: 30_000, firstSpeechMs: 3_000, silenceMs: 15_000, callMs: 120_000 },
  traits: {
    lookAheadMs: 10_000,
    clearEchoesMarks: true,
    canSay: true,
    canReattach: true,
    canSendDigits: true,
    canTransfer: true,
  },
  policy: { serverInterrupts: true, turnSilenceMs: 500, firstTurnSilenceMs: 1_000 },
} as const satisfies Happening;

const itemId = fc.constantFrom('i1', 'i2', 'i3', 'i4', 'i5');
const replyId = fc.constantFrom('p1', 'p2', 'p3');
const epoch = fc.constantFrom(1, 1, 1, 1, 2, 3);
const requestId = fc.oneof(
  fc.constant(null),
  fc.tuple(epoch, fc.integer({ min: 1, max: 6 })).map(([of, n]) => `r${of}-${n}`),
);
const previousItemId = fc.option(itemId, { nil: null });
const text = fc.constantFrom('', '…', 'Bye.', 'Hello?', 'One moment, please.', 'Thanks, goodbye!', 'Seven at eight.');
const status = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('queued', 'dialling', 'ringing', 'answered') },
  { weight: 1, arbitrary: fc.constantFrom('completed', 'busy', 'no-answer', 'failed', 'canceled') },
);

/** `chunkId` is set by the driver, as the shell makes it unique. */
const model = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('model.ready'), expiresAtMs: fc.constant(null) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('model.failed'),
      kind: fc.constantFrom('refused-key', 'quota', 'dropped', 'expired', 'unreachable'),
      retryable: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('model.objected'),
      objection: fc.constantFrom('reply-active', 'nothing-to-cancel', 'truncate-refused', 'other'),
      requestId,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('model.speechStarted'), itemId, audioMs: fc.nat(9_999) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('model.speechStopped'), itemId, audioMs: fc.nat(9_999) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('model.committed'), itemId, previousItemId }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('model.itemAdded'),
      itemId,
      previousItemId,
      role: fc.constantFrom('callee', 'agent', 'other'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('model.replyCreated'), replyId, requestId }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('model.spoke'),
      replyId,
      itemId,
      contentIndex: fc.constant(0),
      chunkId: fc.constant(0),
      bytes: fc.constantFrom(0, 1, 160, 801, 1_600, 8_000, 100_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('model.worded'), replyId, itemId, text, whole: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('model.toolCalled'),
      replyId,
      itemId,
      toolCallId: fc.constantFrom('t1', 't2'),
      name: fc.constantFrom('end_call', 'stay_quiet', 'transfer_call', 'press_keys', 'fly'),
      args: fc.constantFrom(
        '{}',
        '{"to":"1003"}',
        '{"to":"1009"}',
        '{"keys":"12#"}',
        '{"outcome":"Booked."}',
        '{"seconds":20}',
        'no json',
        '{"seconds":1e9}',
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('model.itemDone'), itemId, complete: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('model.replyDone'),
      replyId,
      status: fc.constantFrom('completed', 'cancelled', 'failed', 'incomplete'),
      retryable: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('model.transcribed'), itemId, text: fc.option(text, { nil: null }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('model.truncated'), itemId, audioEndMs: fc.nat(9_999) }) },
);

const carrier = fc.oneof(
  { weight: 30, arbitrary: fc.record({ type: fc.constant('carrier.bound'), carrierCallId: fc.constant('CA1') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('carrier.refused'),
      code: fc.constant('21211'),
      reason: fc.constant('The number is not valid.'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('carrier.uncertain'), reason: fc.constant('No answer.') }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('carrier.notFound') }) },
  {
    weight: 30,
    arbitrary: fc.record({ type: fc.constant('carrier.progressed'), status, source: fc.constant('webhook') }),
  },
  { weight: 60, arbitrary: fc.record({ type: fc.constant('carrier.streamStarted'), epoch }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('carrier.streamEnded'),
      epoch,
      how: fc.constantFrom('stopped', 'dropped'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('carrier.streamFailed'), epoch }) },
  {
    weight: 50,
    arbitrary: fc.record({
      type: fc.constant('carrier.markEchoed'),
      epoch,
      generation: fc.integer({ min: 1, max: 3 }),
      markId: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('carrier.digitPressed'), digit: fc.constant('1') }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('carrier.hungUp'), outcome: fc.constantFrom('done', 'gone', 'failed') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('carrier.redirected'), outcome: fc.constantFrom('done', 'failed') }),
  },
);

const operator = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('operator.ended'), mode: fc.constantFrom('polite', 'now') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('server.draining'), graceMs: fc.constant(5_000) }) },
  { weight: 2, arbitrary: fc.constant(REQUEST) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('timer.fired'),
      name: fc.constantFrom('slot', 'limit', 'silence', 'hangUp'),
      setId: fc.nat(40),
    }),
  },
);

export interface Moment {
  readonly afterMs: number;
  readonly happening: Happening;
}

const pause = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 401, max: 20_000 }) },
);

/** A sequence of moments. Most of them begin with a call that is up, or little would be reached. */
export const moments: fc.Arbitrary<readonly Moment[]> = fc
  .tuple(
    fc.constantFrom(0, 1, 4, 4, 4),
    fc.array(
      fc.record({
        afterMs: pause,
        happening: fc.oneof(
          { weight: 12, arbitrary: fc.tuple(model, epoch).map(([event, of]) => ({ ...event, epoch: of })) },
          { weight: 3, arbitrary: carrier },
          { weight: 1, arbitrary: operator },
        ),
      }),
      { maxLength: 70 },
    ),
  )
  .map(([known, rest]) => {
    const start: Happening[] = [
      REQUEST,
      { type: 'carrier.bound', carrierCallId: 'CA1' },
      { type: 'carrier.streamStarted', epoch: 1 },
      { type: 'model.ready', expiresAtMs: null, epoch: 1 },
    ];
    const first = start.slice(0, known).map((happening) => ({ afterMs: 10, happening }));
    return [...first, ...rest] as readonly Moment[];
  });
