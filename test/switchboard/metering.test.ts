import { describe, expect, it } from 'vitest';
import type { CallCommand, TurnSpec } from '../../src/call/commands.ts';
import type { CallEvent } from '../../src/call/events.ts';
import type { Clock } from '../../src/switchboard/clock.ts';
import type { Meter } from '../../src/switchboard/meter.ts';
import { meterCall } from '../../src/switchboard/metering.ts';

const TURN: TurnSpec = { create: true, interrupt: true, silenceMs: 500, guarded: false };

/** One answered call in virtual time; `told` is everything that the meter was told, in order. */
function metered() {
  let nowMs = 1_000;
  const told: (readonly [string, ...unknown[]])[] = [];
  const note =
    (name: string) =>
    (...args: readonly unknown[]): void =>
      void told.push([name, ...args]);
  const meter: Meter = {
    frames: { from_callee: 0, to_callee: 0 },
    callPlaced: note('placed'),
    stateChanged: note('state'),
    callEnded: note('ended'),
    bridged: note('bridged'),
    frameCame: note('late'),
    responded: note('responded'),
    longestWait: note('wait'),
    interrupted: note('interrupted'),
    truncated: note('truncated'),
    discarded: note('discarded'),
    modelFailed: note('model'),
    modelRenewed: note('renewed'),
    carrierFailed: note('carrier'),
    used: note('used'),
    spent: note('spent'),
    storing: () => () => undefined,
  };
  const clock: Clock = { now: () => nowMs, wall: () => nowMs, setTimer: () => () => undefined };
  const tap = meterCall(meter, clock);
  const at = (ms: number): void => {
    nowMs = 1_000 + ms;
  };
  const event = (fields: object): void => tap.event?.({ ...fields, epoch: 1, atMs: nowMs } as CallEvent);
  const command = (fields: object): void => tap.command?.(fields as CallCommand, nowMs, undefined);
  command({ type: 'model.open', epoch: 1, seed: [], turn: TURN });
  tap.state?.('answered', nowMs);
  return {
    meter,
    tap,
    at,
    event,
    command,
    of: (name: string) => told.filter(([one]) => one === name).map(([, ...args]) => args),
    stops: (ms: number) => {
      at(ms);
      event({ type: 'model.speechStopped', itemId: 'i', audioMs: 0 });
    },
    starts: (ms: number) => {
      at(ms);
      event({ type: 'model.speechStarted', itemId: 'i', audioMs: 0 });
    },
    replies: (ms: number, replyId: string) => {
      at(ms);
      event({ type: 'model.replyCreated', replyId, requestId: null });
    },
    speaks: (ms: number, replyId: string, chunkId: number) => {
      at(ms);
      event({ type: 'model.spoke', replyId, itemId: 'a', contentIndex: 0, chunkId, bytes: 800 });
      tap.played?.(chunkId);
    },
    ends: (ms: number) => {
      at(ms);
      tap.state?.('ending', nowMs);
      command({ type: 'scribe.ended', outcome: 'completed', reason: '', lineStatus: null, result: null });
      tap.state?.('ended', nowMs);
    },
  };
}

describe('the wait for an answer', () => {
  it('goes from the end of the turn to the first audio of a reply that was made after it, once', () => {
    const call = metered();
    call.replies(0, 'earlier');
    call.stops(1_000);
    call.speaks(1_100, 'earlier', 1);
    call.replies(1_200, 'tool only');
    call.replies(1_500, 'answer');
    call.speaks(1_700, 'answer', 2);
    call.speaks(1_800, 'answer', 3);
    call.ends(5_000);
    expect(call.of('responded')).toEqual([
      ['turn_end', 0.7],
      ['speech_end', 1.2],
    ]);
    expect(call.of('wait')).toEqual([[0.7]]);
    expect(call.of('ended')).toEqual([['completed', 5]]);
  });

  it('is none when the callee goes on speaking, but the callee has waited all the same', () => {
    const call = metered();
    call.stops(1_000);
    call.replies(1_100, 'late');
    call.starts(4_000);
    call.speaks(4_100, 'late', 1);
    call.ends(6_000);
    expect(call.of('responded')).toEqual([]);
    expect(call.of('wait')).toEqual([[3]]);
  });

  it('is none when the agent was asked to be quiet, nor after the goodbye; a call that never waited tells nothing', () => {
    const call = metered();
    call.stops(1_000);
    call.replies(1_100, 'quiet');
    call.event({
      type: 'model.toolCalled',
      replyId: 'quiet',
      itemId: 't',
      toolCallId: 'c',
      name: 'stay_quiet',
      args: '{}',
    });
    call.at(60_000);
    call.tap.state?.('ending', 61_000);
    call.stops(61_000);
    call.ends(65_000);
    expect(call.of('wait')).toEqual([]);
  });

  it('lasts to the end of a call that ends without the answer', () => {
    const call = metered();
    call.stops(1_000);
    call.ends(9_000);
    expect(call.of('wait')).toEqual([[8]]);
  });
});

describe('the audio path', () => {
  it('counts every frame, and tells how long a sample took and by how much it came later than the promptest', () => {
    const call = metered();
    call.tap.frames?.(50);
    call.tap.sampled?.({ mediaMs: 1_000, tookMs: 0, atMs: 2_000 });
    // This one comes 70 ms too late, and takes 3 ms to be passed on.
    call.tap.frames?.(50);
    call.tap.sampled?.({ mediaMs: 2_000, tookMs: 3, atMs: 3_073 });
    call.tap.frames?.(7);
    expect(call.meter.frames.from_callee).toBe(107);
    expect(call.of('bridged')).toEqual([
      ['from_callee', 0],
      ['from_callee', 0.003],
    ]);
    expect(call.of('late')).toEqual([[0], [0.073]]);
  });

  it('does not take a carrier that has no room yet for a delay of ours', () => {
    const call = metered();
    call.event({ type: 'model.spoke', replyId: 'r', itemId: 'a', contentIndex: 0, chunkId: 1, bytes: 800 });
    call.event({ type: 'timer.fired', name: 'pace', setId: 1 });
    call.at(900);
    call.tap.played?.(1);
    expect(call.of('bridged')).toEqual([]);
    expect(call.meter.frames.to_callee).toBe(1);
  });

  it('tells what went wrong by kind, and what was never heard', () => {
    const call = metered();
    call.event({ type: 'model.failed', kind: 'quota', retryable: false });
    call.event({ type: 'model.replyDone', replyId: 'r', status: 'incomplete' });
    call.event({ type: 'model.replyDone', replyId: 'r', status: 'cancelled' });
    call.event({ type: 'model.objected', objection: 'nothing-to-cancel', requestId: null });
    call.event({ type: 'carrier.streamEnded', how: 'dropped' });
    call.event({ type: 'carrier.hungUp', outcome: 'gone' });
    call.command({ type: 'model.open', epoch: 2, seed: [], turn: TURN });
    call.command({ type: 'model.truncate', itemId: 'a', contentIndex: 0, audioEndMs: 400 });
    call.command({ type: 'scribe.note', kind: 'interrupted', data: { heardMs: 400, receivedMs: 1_900, heard: '' } });
    expect(call.of('model')).toEqual([['quota'], ['reply-incomplete']]);
    expect(call.of('carrier')).toEqual([['stream-dropped']]);
    expect(call.of('renewed')).toEqual([[]]);
    expect(call.of('truncated')).toEqual([[0.4]]);
    expect(call.of('discarded')).toEqual([[1.5]]);
  });

  it('tells each state that the call comes into and leaves', () => {
    const call = metered();
    call.ends(1_000);
    expect(call.of('state')).toEqual([
      [null, 'queued'],
      ['queued', 'answered'],
      ['answered', 'ending'],
      ['ending', null],
    ]);
  });
});
