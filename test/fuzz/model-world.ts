/** A Realtime server in virtual time: one reply at a time, bursts of odd deltas, its own replies, late deltas, objections. */
import type { CallCommand, TurnSpec } from '../../src/call/commands.ts';
import type { EpochModelEvent } from '../../src/call/events.ts';
import type { Machine } from '../call/machine.ts';
import type { Random } from './random.ts';

const BYTES_PER_MS = 8;
const SPEED = 4;

type Unnumbered<E> = E extends unknown ? Omit<E, 'epoch'> : never;

export interface ModelHabits {
  readonly oneWayMs: number;
  readonly nullRequestIds: boolean;
  readonly failing: number;
  readonly silentReplies: number;
  readonly toolCalls: number;
  readonly untranscribed: number;
  readonly longestReplyMs: number;
}

interface Making {
  readonly replyId: string;
  readonly items: string[];
  cancelled: boolean;
}

export class ModelWorld {
  /** The item that each chunk belongs to, and the size of the chunk. */
  readonly chunks = new Map<number, { readonly itemId: string; readonly bytes: number }>();
  onReplyMade: (replyId: string, items: readonly string[]) => void = () => {};
  onSpeaking: (replyId: string) => void = () => {};
  private readonly machine: Machine;
  private readonly random: Random;
  private readonly habits: ModelHabits;
  private epoch = 0;
  private alive = false;
  private turn: TurnSpec | null = null;
  private active: Making | null = null;
  private tail: string | null = null;
  private speech: string | null = null;
  private ids = 0;
  private upAtMs = 0;
  private downAtMs = 0;

  constructor(machine: Machine, random: Random, habits: ModelHabits) {
    this.machine = machine;
    this.random = random;
    this.habits = habits;
  }

  get ready(): boolean {
    return this.alive;
  }

  obey(command: CallCommand): void {
    if (command.type === 'model.open') return this.open(command);
    if (command.type === 'model.close') this.alive = false;
    const { epoch } = this;
    this.upAtMs = Math.max(this.upAtMs, this.machine.nowMs + this.habits.oneWayMs + this.random.between(0, 10));
    this.machine.at(this.upAtMs, () => {
      if (epoch === this.epoch && this.alive) this.take(command);
    });
  }

  private open(command: Extract<CallCommand, { type: 'model.open' }>): void {
    this.epoch = command.epoch;
    this.alive = false;
    this.active = null;
    this.speech = null;
    this.tail = null;
    this.turn = command.turn;
    const { epoch } = this;
    this.machine.later(this.random.between(200, 1_500), () => {
      if (epoch !== this.epoch) return;
      this.alive = true;
      this.say({ type: 'model.ready', expiresAtMs: null });
    });
  }

  private take(command: CallCommand): void {
    switch (command.type) {
      case 'model.configure':
        this.turn = command.turn;
        return;
      case 'model.reply':
        return this.asked(command.requestId);
      case 'model.cancel':
        if (this.active?.replyId === command.replyId) this.cancel(this.active);
        else this.object('nothing-to-cancel', null);
        return;
      case 'model.commitInput':
        if (this.speech !== null) this.commit(this.speech);
        else this.object('other', null);
        return;
      case 'model.answerTool':
      case 'model.remember':
        this.add('other');
        return;
      case 'model.truncate':
        this.say({ type: 'model.truncated', itemId: command.itemId, audioEndMs: command.audioEndMs });
        return;
      default:
        return;
    }
  }

  private asked(requestId: string): void {
    if (this.active) this.object('reply-active', this.habits.nullRequestIds ? null : requestId);
    else this.reply(requestId);
  }

  private object(objection: 'reply-active' | 'nothing-to-cancel' | 'other', requestId: string | null): void {
    this.say({ type: 'model.objected', objection, requestId });
  }

  private say(event: Unnumbered<EpochModelEvent>): void {
    const { epoch } = this;
    this.downAtMs = Math.max(this.downAtMs, this.machine.nowMs + this.habits.oneWayMs + this.random.between(0, 20));
    this.machine.at(this.downAtMs, () => {
      if (this.alive || epoch !== this.epoch) this.machine.feed({ ...event, epoch } as EpochModelEvent);
    });
  }

  private id(prefix: string): string {
    this.ids += 1;
    return `${prefix}${this.ids}`;
  }

  private add(role: 'callee' | 'agent' | 'other', itemId = this.id('i')): string {
    this.say({ type: 'model.itemAdded', itemId, previousItemId: this.tail, role });
    this.tail = itemId;
    return itemId;
  }

  reply(requestId: string | null): void {
    const making: Making = { replyId: this.id('p'), items: [], cancelled: false };
    this.active = making;
    this.say({ type: 'model.replyCreated', replyId: making.replyId, requestId });
    this.during(making, this.random.between(50, 900), () => {
      if (this.random.chance(this.habits.failing)) return this.done(making, 'failed');
      if (this.random.chance(this.habits.silentReplies)) return this.tool(making);
      this.speak(making, this.random.chance(0.25) ? 2 : 1);
    });
  }

  /** Goes on with a reply later, unless it was cancelled. */
  private during(making: Making, delayMs: number, run: () => void): void {
    const { epoch } = this;
    this.machine.later(delayMs, () => {
      if (epoch === this.epoch && this.alive && !making.cancelled) run();
    });
  }

  private speak(making: Making, items: number): void {
    const itemId = this.add('agent');
    making.items.push(itemId);
    const totalMs = this.random.between(150, this.habits.longestReplyMs);
    const whole = this.random.chance(0.02) ? 'Goodbye.' : 'word '.repeat(Math.ceil(totalMs / 350)).trim();
    this.say({ type: 'model.worded', replyId: making.replyId, itemId, text: whole, whole: true });
    this.onSpeaking(making.replyId);
    this.delta(making, itemId, totalMs, () => {
      this.say({ type: 'model.itemDone', itemId, complete: true });
      if (items > 1) return this.speak(making, items - 1);
      if (this.random.chance(this.habits.toolCalls)) return this.tool(making);
      this.done(making, this.random.chance(0.03) ? 'incomplete' : 'completed');
    });
  }

  private delta(making: Making, itemId: string, leftMs: number, then: () => void): void {
    const bytes = Math.max(1, Math.min(Math.round(leftMs * BYTES_PER_MS), this.random.whole(37, 3_301)));
    this.chunk(making, itemId, bytes);
    const restMs = leftMs - bytes / BYTES_PER_MS;
    if (restMs <= 0) return then();
    this.during(making, bytes / BYTES_PER_MS / SPEED, () => this.delta(making, itemId, restMs, then));
  }

  private chunk(making: Making, itemId: string, bytes: number): void {
    this.ids += 1;
    const chunkId = this.ids;
    this.chunks.set(chunkId, { itemId, bytes });
    this.say({ type: 'model.spoke', replyId: making.replyId, itemId, contentIndex: 0, chunkId, bytes });
  }

  private tool(making: Making): void {
    const others = ['stay_quiet', 'transfer_call', 'press_keys', 'fly'] as const;
    const name = this.random.chance(0.4) ? 'end_call' : (others[Math.floor(this.random.between(0, 4))] ?? 'fly');
    const args = {
      end_call: '{"outcome":"Done."}',
      transfer_call: '{"to":"1003","summary":"x"}',
      press_keys: '{"keys":"5"}',
      stay_quiet: '{"seconds":10}',
      fly: '{}',
    }[name];
    this.say({
      type: 'model.toolCalled',
      replyId: making.replyId,
      itemId: this.add('other'),
      toolCallId: this.id('t'),
      name,
      args,
    });
    this.done(making, 'completed');
  }

  private done(making: Making, status: 'completed' | 'cancelled' | 'failed' | 'incomplete'): void {
    if (this.active === making) this.active = null;
    making.cancelled = true;
    this.say({ type: 'model.replyDone', replyId: making.replyId, status, retryable: true });
    if (status === 'completed') this.onReplyMade(making.replyId, making.items);
  }

  /** A cancelled reply still lets go of a delta or two. */
  private cancel(making: Making): void {
    making.cancelled = true;
    const itemId = making.items.at(-1);
    if (itemId !== undefined) {
      for (let late = this.random.whole(0, 2); late > 0; late -= 1)
        this.chunk(making, itemId, this.random.whole(40, 2_000));
      this.say({ type: 'model.itemDone', itemId, complete: false });
    }
    this.done(making, 'cancelled');
  }

  /** The callee's voice reaches the server's detector. */
  speechStarts(): void {
    if (!this.alive || this.speech !== null) return;
    this.speech = this.id('i');
    this.say({ type: 'model.speechStarted', itemId: this.speech, audioMs: 0 });
    if (this.turn?.interrupt && this.active) this.cancel(this.active);
  }

  speechStops(text: string | null): void {
    const itemId = this.speech;
    if (!this.alive || itemId === null) return;
    const { epoch } = this;
    this.machine.later(this.turn?.silenceMs ?? 500, () => {
      if (epoch !== this.epoch || !this.alive || this.speech !== itemId) return;
      this.say({ type: 'model.speechStopped', itemId, audioMs: 0 });
      this.commit(itemId);
      if (this.turn?.create && !this.active) this.reply(null);
      if (this.random.chance(this.habits.untranscribed)) return;
      this.machine.later(this.random.between(100, 1_800), () => {
        if (epoch === this.epoch && this.alive) this.say({ type: 'model.transcribed', itemId, text });
      });
    });
  }

  private commit(itemId: string): void {
    this.speech = null;
    const previousItemId = this.tail;
    this.tail = itemId;
    this.say({ type: 'model.committed', itemId, previousItemId });
    this.say({ type: 'model.itemAdded', itemId, previousItemId, role: 'callee' });
  }

  /** The session breaks off. */
  drop(retryable: boolean): void {
    if (!this.alive) return;
    this.alive = false;
    this.machine.feed({ type: 'model.failed', kind: 'dropped', retryable, epoch: this.epoch });
  }
}
