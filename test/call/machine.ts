/** Runs the core in virtual time: events go in, timers fire at their moment, and every step is checked against the invariants. */
import { expect } from 'vitest';
import { type Call, newCall } from '../../src/call/call.ts';
import type { CallCommand } from '../../src/call/commands.ts';
import type { CallEvent, TimerName } from '../../src/call/events.ts';
import { step, wholeStep } from '../../src/call/step.ts';
import { deepFreeze, Observer } from './observer.ts';

/** `Omit` on each member of a union. */
type Unstamped<E> = E extends unknown ? Omit<E, 'atMs'> : never;
export type Happening = Unstamped<CallEvent>;

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export interface Recorded {
  readonly atMs: number;
  readonly command: CallCommand;
}

export class Machine {
  call: Call = newCall();
  nowMs = 0;
  readonly recorded: Recorded[] = [];
  readonly observer = new Observer();
  /** Called with each command, after the step that gave it. */
  obey: (command: CallCommand) => void = () => {};
  private order = 0;
  private entries: Entry[] = [];

  private readonly freezes: boolean;

  /** `freezes`: every state is frozen, so that a step that changes the one before it throws. It takes time. */
  constructor(startMs = 1_000, freezes = true) {
    this.nowMs = startMs;
    this.freezes = freezes;
    if (freezes) deepFreeze(this.call);
  }

  feed(happening: Happening): readonly CallCommand[] {
    const event = { ...happening, atMs: this.nowMs } as CallEvent;
    const before = this.call;
    const { call, commands } = step(before, event);
    if (this.freezes) deepFreeze(call);
    if (!before.ended && !isTimerDue(before, this.nowMs)) expect({ call, commands }).toEqual(wholeStep(before, event));
    this.call = call;
    this.observer.saw(before, event, call, commands);
    for (const command of commands) {
      this.recorded.push({ atMs: this.nowMs, command });
      if (command.type === 'timer.set') this.schedule(command.name, command.setId, command.atMs);
    }
    for (const command of commands) this.obey(command);
    return commands;
  }

  private schedule(name: TimerName, setId: number, atMs: number): void {
    this.at(atMs, () => {
      if (this.call.timers[name]?.setId === setId) this.feed({ type: 'timer.fired', name, setId });
    });
  }

  later(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    this.order += 1;
    const entry = { atMs: Math.max(atMs, this.nowMs), order: this.order, run };
    let index = this.entries.length;
    while (index > 0 && (this.entries[index - 1]?.atMs ?? 0) > entry.atMs) index -= 1;
    this.entries.splice(index, 0, entry);
  }

  /** Lets `durationMs` pass. */
  advance(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    this.runUntil(untilMs, () => false);
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Runs what is due until the call has ended; false when it has not by `untilMs`, or when nothing is due any more. */
  runToEnd(untilMs: number): boolean {
    this.runUntil(untilMs, () => this.call.ended);
    return this.call.ended;
  }

  private runUntil(untilMs: number, done: () => boolean): void {
    while (!done()) {
      const entry = this.entries[0];
      if (!entry || entry.atMs > untilMs) return;
      this.entries.shift();
      this.nowMs = entry.atMs;
      entry.run();
    }
  }
}

/** What a timer is there for, a whole step does a moment before it, and a short one leaves to it. */
function isTimerDue(call: Call, nowMs: number): boolean {
  return Object.values(call.timers).some((timer) => timer !== undefined && timer.atMs <= nowMs);
}
