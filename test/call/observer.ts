/** The invariants of the core, stated over what goes in and what comes out. Throws on the first breach. */
import { type Call, phaseOf } from '../../src/call/call.ts';
import type { CallCommand } from '../../src/call/commands.ts';
import type { CallEvent, TimerName } from '../../src/call/events.ts';
import { heardBytesOf } from '../../src/call/heard.ts';

const SLOT_MS = 4_000;
/** Timers that make nothing happen to the conversation soon. */
const IDLE: ReadonlySet<string> = new Set(['limit', 'warn', 'lines', 'pace']);

export class Observer {
  dials = 0;
  ended = 0;
  hangUps = 0;
  readonly lines: string[] = [];
  private readonly timers = new Map<string, number>();
  private lastSetId = 0;
  private firings = { atMs: -1, counts: new Map<string, number>() };
  private requested: { readonly requestId: string; readonly atMs: number } | null = null;
  private active: string | null = null;
  private epoch = 0;
  private readonly openChunks = new Set<number>();
  private readonly closedChunks = new Set<number>();

  saw(before: Call, event: CallEvent, after: Call, commands: readonly CallCommand[]): void {
    this.take(before, event);
    for (const command of commands) this.check(command, after.nowMs);
    this.checkLedger(after);
    for (const [name, entry] of Object.entries(after.timers))
      if (entry) expectThat(this.timers.get(name) === entry.setId, `timer ${name} is known to the shell`);
    this.checkProspect(after);
    if (after.ended) this.checkEnd();
  }

  /** No dead air: while the line is up somebody is speaking, or a timer runs that leads on, and not only the call's limit. */
  private checkProspect(call: Call): void {
    const phase = phaseOf(call);
    if (phase === 'queued' || phase === 'ended' || call.floor.speaking) return;
    const leading = Object.keys(call.timers).filter((name) => call.timers[name as TimerName] && !IDLE.has(name));
    expectThat(leading.length > 0, `something is to come while ${phase}`);
  }

  private take(before: Call, event: CallEvent): void {
    if (event.type === 'timer.fired') this.fired(before, event);
    if (event.type === 'model.spoke') this.openChunks.add(event.chunkId);
    if (!('epoch' in event) || !event.type.startsWith('model.') || event.epoch !== this.epoch) return;
    if (event.type === 'model.replyCreated') {
      if (this.requested?.requestId === event.requestId) this.requested = null;
      this.active = event.replyId;
    } else if (event.type === 'model.replyDone') {
      if (this.active === event.replyId) this.active = null;
    } else if (event.type === 'model.objected') {
      const isAny = event.requestId === null && event.objection === 'reply-active';
      const isRefusal = event.objection === 'reply-active' || event.objection === 'other';
      if (isAny || (isRefusal && event.requestId === this.requested?.requestId)) this.requested = null;
    }
  }

  private fired(before: Call, event: Extract<CallEvent, { type: 'timer.fired' }>): void {
    if (before.timers[event.name]?.setId !== event.setId) return;
    this.timers.delete(event.name);
    if (this.firings.atMs !== event.atMs) this.firings = { atMs: event.atMs, counts: new Map() };
    const count = (this.firings.counts.get(event.name) ?? 0) + 1;
    this.firings.counts.set(event.name, count);
    expectThat(count <= 3, `timer ${event.name} does not fire again and again while no time passes`);
  }

  private check(command: CallCommand, nowMs: number): void {
    switch (command.type) {
      case 'carrier.dial':
        this.dials += 1;
        expectThat(this.dials === 1, 'dial at most once');
        expectThat(this.hangUps === 0, 'no dial after hangUp');
        return;
      case 'carrier.hangUp':
        this.hangUps += 1;
        return;
      case 'carrier.play':
        expectThat(this.hangUps === 0, 'no play after hangUp');
        this.closeChunk(command.chunkId);
        return;
      case 'chunk.drop':
        this.closeChunk(command.chunkId);
        return;
      case 'model.open':
        this.epoch = command.epoch;
        this.requested = null;
        this.active = null;
        return;
      case 'model.reply':
        return this.checkReply(command, nowMs);
      case 'scribe.note':
        if (command.kind === 'reply-stuck' && command.data.cancelled === true) this.active = null;
        return;
      case 'scribe.line':
        return this.checkLine(command);
      case 'scribe.ended':
        this.ended += 1;
        return;
      case 'timer.set':
        expectThat(command.setId > this.lastSetId, 'setIds grow');
        this.lastSetId = command.setId;
        this.timers.set(command.name, command.setId);
        return;
      case 'timer.clear':
        expectThat(this.timers.delete(command.name), `timer ${command.name} is cleared only when it runs`);
        return;
      case 'model.truncate':
        expectThat(Number.isInteger(command.audioEndMs) && command.audioEndMs >= 0, 'audioEndMs is a whole number ≥ 0');
        return;
      default:
        return;
    }
  }

  private checkReply(command: Extract<CallCommand, { type: 'model.reply' }>, nowMs: number): void {
    expectThat(this.hangUps === 0, 'no reply after hangUp');
    expectThat(this.active === null, 'no create while a reply is active');
    const busy = this.requested !== null && nowMs - this.requested.atMs < SLOT_MS;
    expectThat(!busy, 'no create while one is requested');
    this.requested = { requestId: command.requestId, atMs: nowMs };
  }

  private checkLine(line: Extract<CallCommand, { type: 'scribe.line' }>): void {
    expectThat(this.ended === 0, 'no line after the end');
    expectThat(line.endMs >= line.startMs, 'a line does not end before it starts');
    const known = this.lines[line.index];
    if (known === undefined) expectThat(line.index === this.lines.length, 'line indexes are 0, 1, 2 …');
    else expectThat(known !== line.text, 'a line is told again only to replace it');
    this.lines[line.index] = line.text;
  }

  private closeChunk(chunkId: number): void {
    expectThat(this.openChunks.delete(chunkId), `chunk ${chunkId} is known and still open`);
    expectThat(!this.closedChunks.has(chunkId), `chunk ${chunkId} is played or dropped once`);
    this.closedChunks.add(chunkId);
  }

  private checkLedger(call: Call): void {
    for (const item of call.playback.items) {
      const heardBytes = heardBytesOf(call.playback, item, call.nowMs);
      expectThat(heardBytes <= item.sentBytes, 'heard ≤ sent');
      expectThat(item.sentBytes <= item.receivedBytes, 'sent ≤ received');
      expectThat(heardBytes >= 0, 'heard ≥ 0');
    }
  }

  private checkEnd(): void {
    expectThat(this.ended === 1, 'a call ends exactly once');
    expectThat(this.timers.size === 0, `no timer is left behind: ${[...this.timers.keys()].join(', ')}`);
    expectThat(this.openChunks.size === 0, 'every chunk was played or dropped');
  }
}

function expectThat(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken invariant: ${rule}`);
}

export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
}
