/** A call told in a few words, in virtual time: what the callee, the model's server and the carrier do, and what we did about it. */

import { phaseOf } from '../../src/call/call.ts';
import type { CallCommand } from '../../src/call/commands.ts';
import type { CallPolicy, LineStatus } from '../../src/call/events.ts';
import type { CarrierTraits, Limits } from '../../src/call/words.ts';
import { type Happening, Machine } from './machine.ts';

const BYTES_PER_MS = 8;

export interface Setting {
  readonly limits?: Partial<Limits>;
  readonly traits?: Partial<CarrierTraits>;
  readonly policy?: Partial<CallPolicy>;
  readonly language?: string;
  readonly transferTo?: readonly string[];
  /** Delay between what the carrier's buffer plays and the echo of its mark. */
  readonly echoMs?: number;
}

type Of<T extends CallCommand['type']> = Extract<CallCommand, { type: T }>;

export class Scenario {
  readonly machine = new Machine(0);
  /** What `tell` gave so far. */
  private readonly echoMs: number;
  private readonly setting: Setting;
  private bufferEndsAtMs = 0;
  private generation = 1;
  private stream = 0;
  private ids = 0;
  private tail: string | null = null;

  constructor(setting: Setting = {}) {
    this.setting = setting;
    this.echoMs = setting.echoMs ?? 40;
    this.machine.obey = (command) => this.obey(command);
  }

  /** A call that has been answered, with stream and model up. */
  static live(setting: Setting = {}): Scenario {
    const scenario = new Scenario(setting);
    scenario.dial().bound().answered().streams().ready();
    return scenario;
  }

  /** The same, with a first exchange behind it: the callee said hello and our answer has been heard. */
  static talking(setting: Setting = {}): Scenario {
    const scenario = Scenario.live(setting);
    scenario.calleeSays('Hello, Luigi speaking.', 900);
    scenario.serverReplies('Good evening, a table for two, please.', 2_000);
    scenario.wait(3_000);
    return scenario;
  }

  get now(): number {
    return this.machine.nowMs;
  }

  get phase(): string {
    return phaseOf(this.machine.call);
  }

  private obey(command: CallCommand): void {
    const { machine } = this;
    if (command.type === 'carrier.clear') {
      this.bufferEndsAtMs = machine.nowMs;
      this.generation = command.generation;
    }
    if (command.type === 'carrier.play') {
      const bytes = this.chunks.get(command.chunkId) ?? 0;
      this.bufferEndsAtMs = Math.max(this.bufferEndsAtMs, machine.nowMs) + bytes / BYTES_PER_MS;
    }
    if (command.type === 'carrier.mark') {
      const { generation, markId } = command;
      const epoch = this.stream;
      machine.at(Math.max(this.bufferEndsAtMs, machine.nowMs) + this.echoMs, () => {
        if (generation === this.generation) this.feed({ type: 'carrier.markEchoed', epoch, generation, markId });
      });
    }
  }

  private readonly chunks = new Map<number, number>();

  feed(happening: Happening): this {
    this.machine.feed(happening);
    return this;
  }

  /** An event of the model's present session. */
  model(happening: Record<string, unknown> & { readonly type: string }): this {
    return this.feed({ ...happening, epoch: this.machine.call.model.epoch } as Happening);
  }

  wait(durationMs: number): this {
    this.machine.advance(durationMs);
    return this;
  }

  dial(): this {
    const { limits, traits, policy } = this.setting;
    return this.feed({
      type: 'call.requested',
      brief: {
        to: '+14155550123',
        context: 'Book a table.',
        language: this.setting.language ?? 'en',
        voice: 'sage',
        disclose: true,
        ...(this.setting.transferTo ? { transferTo: this.setting.transferTo } : {}),
      },
      limits: { ringMs: 30_000, firstSpeechMs: 3_000, silenceMs: 15_000, callMs: 900_000, ...limits },
      traits: {
        lookAheadMs: 600_000,
        clearEchoesMarks: true,
        canSay: true,
        canReattach: true,
        canSendDigits: false,
        ...traits,
      },
      policy: { serverInterrupts: true, turnSilenceMs: 500, firstTurnSilenceMs: 1_000, ...policy },
    });
  }

  bound(): this {
    return this.feed({ type: 'carrier.bound', carrierCallId: 'CA1' });
  }

  status(status: LineStatus): this {
    return this.feed({ type: 'carrier.progressed', status, source: 'webhook' });
  }

  answered(): this {
    return this.status('ringing').wait(500).status('answered');
  }

  streams(): this {
    this.stream += 1;
    this.bufferEndsAtMs = this.now;
    return this.feed({ type: 'carrier.streamStarted', epoch: this.stream });
  }

  streamBreaks(how: 'stopped' | 'dropped' = 'dropped'): this {
    return this.feed({ type: 'carrier.streamEnded', epoch: this.stream, how });
  }

  ready(): this {
    this.tail = null;
    return this.model({ type: 'model.ready', expiresAtMs: null });
  }

  modelFails(kind: string, retryable: boolean): this {
    return this.model({ type: 'model.failed', kind, retryable });
  }

  id(prefix: string): string {
    this.ids += 1;
    return `${prefix}${this.ids}`;
  }

  /** The detector notices speech; returns the id of the callee's item. */
  speechStarts(itemId = this.id('u')): string {
    this.model({ type: 'model.speechStarted', itemId, audioMs: 0 });
    return itemId;
  }

  /** The turn is over (the silence that ended it has passed): committed, and transcribed unless `text` is undefined. */
  speechStops(itemId: string, text?: string | null): this {
    this.model({ type: 'model.speechStopped', itemId, audioMs: 0 });
    this.model({ type: 'model.committed', itemId, previousItemId: this.tail });
    this.tail = itemId;
    if (text !== undefined) this.model({ type: 'model.transcribed', itemId, text });
    return this;
  }

  calleeSays(text: string | null | undefined, durationMs: number): string {
    const itemId = this.speechStarts();
    this.wait(durationMs + (this.machine.call.model.turn?.silenceMs ?? 0));
    this.speechStops(itemId, text);
    return itemId;
  }

  created(requestId: string | null): string {
    const replyId = this.id('p');
    this.model({ type: 'model.replyCreated', replyId, requestId });
    return replyId;
  }

  item(replyId: string, text: string): string {
    const itemId = this.id('a');
    this.model({ type: 'model.itemAdded', itemId, previousItemId: this.tail, role: 'agent' });
    this.tail = itemId;
    this.model({ type: 'model.worded', replyId, itemId, text, whole: true });
    return itemId;
  }

  audio(replyId: string, itemId: string, durationMs: number): number {
    this.ids += 1;
    const chunkId = this.ids;
    const bytes = durationMs * BYTES_PER_MS;
    this.chunks.set(chunkId, bytes);
    this.model({ type: 'model.spoke', replyId, itemId, contentIndex: 0, chunkId, bytes });
    return chunkId;
  }

  itemDone(itemId: string): this {
    return this.model({ type: 'model.itemDone', itemId, complete: true });
  }

  replyDone(replyId: string, more: Record<string, unknown> = {}): this {
    return this.model({ type: 'model.replyDone', replyId, status: 'completed', ...more });
  }

  /** A whole reply, made in one moment as a fast model does. Returns the ids of the reply and its item. */
  replies(
    requestId: string | null,
    text: string,
    durationMs: number,
    tool?: { readonly name: string; readonly args: string },
  ): { readonly replyId: string; readonly itemId: string } {
    const replyId = this.created(requestId);
    const itemId = this.item(replyId, text);
    for (let leftMs = durationMs; leftMs > 0; leftMs -= 200) this.audio(replyId, itemId, Math.min(200, leftMs));
    this.itemDone(itemId);
    if (tool) this.calls(replyId, tool.name, tool.args);
    this.replyDone(replyId);
    return { replyId, itemId };
  }

  serverReplies(text: string, durationMs: number): { readonly replyId: string; readonly itemId: string } {
    return this.replies(null, text, durationMs);
  }

  calls(replyId: string, name: string, args = '{}'): this {
    const itemId = this.id('f');
    return this.model({ type: 'model.toolCalled', replyId, itemId, toolCallId: this.id('t'), name, args });
  }

  /** The commands of one kind so far; with `sinceMs`, from then on. */
  all<T extends CallCommand['type']>(type: T, sinceMs = 0): Of<T>[] {
    return this.machine.recorded
      .filter((recorded) => recorded.atMs >= sinceMs && recorded.command.type === type)
      .map((recorded) => recorded.command as Of<T>);
  }

  last<T extends CallCommand['type']>(type: T): Of<T> {
    const found = this.all(type).at(-1);
    if (!found) throw new Error(`nothing of ${type} yet`);
    return found;
  }

  count(type: CallCommand['type'], sinceMs = 0): number {
    return this.all(type, sinceMs).length;
  }

  /** When the last command of this kind came. */
  when(type: CallCommand['type']): number {
    return this.machine.recorded.findLast(({ command }) => command.type === type)?.atMs ?? Number.NaN;
  }

  /** The lines as a reader has them: the last telling of each. */
  get lines(): readonly string[] {
    const lines: string[] = [];
    for (const line of this.all('scribe.line')) lines[line.index] = `${line.speaker}: ${line.text}`;
    return lines;
  }

  notes(kind: string): Of<'scribe.note'>[] {
    return this.all('scribe.note').filter((note) => note.kind === kind);
  }

  /** The requests for replies, by purpose. */
  get asked(): readonly string[] {
    return this.all('model.reply').map((reply) => reply.purpose);
  }

  /** How the call ended, after the moment in which the model may still tell of last words. */
  get ended(): Of<'scribe.ended'> {
    if (this.phase === 'settling') this.wait(500);
    return this.last('scribe.ended');
  }
}
