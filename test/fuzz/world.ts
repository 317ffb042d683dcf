/** A whole call in virtual time: carrier, network, model server and a callee, told by a seed. */
import type { CallCommand } from '../../src/call/commands.ts';
import { Machine } from '../call/machine.ts';
import { REQUEST } from './arbitrary-events.ts';
import { type CarrierTraitsOfWorld, PlaybackBuffer, type Truth } from './carrier-world.ts';
import { type ModelHabits, ModelWorld } from './model-world.ts';
import { Random } from './random.ts';

export interface WorldSpec {
  readonly seed: number;
  readonly carrier: CarrierTraitsOfWorld;
  readonly model: ModelHabits;
  readonly serverInterrupts: boolean;
  readonly callMs: number;
  /** Stalls a second of playing. */
  readonly stallRate: number;
  /** Chances of things going wrong in a call. */
  readonly trouble: number;
}

/** One truncation, ours against the truth. `errorMs` is positive when we believed that more was heard. */
export interface Measured {
  readonly errorMs: number;
  readonly sinceStallMs: number | null;
  readonly clearNumber: number;
  readonly afterDone: boolean;
}

interface OurClear {
  readonly atMs: number;
  readonly truncated: ReadonlyMap<string, number>;
}

export class World {
  readonly machine: Machine;
  readonly random: Random;
  readonly buffer: PlaybackBuffer;
  readonly model: ModelWorld;
  readonly measured: Measured[] = [];
  readonly spec: WorldSpec;
  private clears: OurClear[] = [];
  private clearNumber = 0;
  private madeItems = new Set<string>();
  private streamEpoch = 0;
  private over = false;

  constructor(spec: WorldSpec, freezes = true) {
    this.spec = spec;
    this.machine = new Machine(1_000, freezes);
    this.random = new Random(spec.seed);
    this.buffer = new PlaybackBuffer(this.machine, this.random, spec.carrier);
    this.model = new ModelWorld(this.machine, this.random, spec.model);
    this.model.onReplyMade = (_, items) => {
      for (const itemId of items) this.madeItems.add(itemId);
    };
    this.buffer.onCleared = (truth) => this.compare(truth);
    this.machine.obey = (command) => this.obey(command);
  }

  start(): void {
    const { carrier, callMs, serverInterrupts } = this.spec;
    this.machine.feed({
      ...REQUEST,
      limits: { ...REQUEST.limits, callMs },
      traits: { ...REQUEST.traits, lookAheadMs: carrier.capMs },
      policy: { ...REQUEST.policy, serverInterrupts },
    });
  }

  private obey(command: CallCommand): void {
    if (command.type.startsWith('model.')) {
      if (command.type === 'model.truncate') this.truncated(command);
      return this.model.obey(command);
    }
    switch (command.type) {
      case 'carrier.play': {
        const chunk = this.model.chunks.get(command.chunkId);
        if (chunk) this.buffer.play(chunk.itemId, chunk.bytes);
        return;
      }
      case 'carrier.mark':
        return this.buffer.mark(command);
      case 'carrier.clear':
        this.clears.push({ atMs: this.machine.nowMs, truncated: new Map() });
        return this.buffer.clear();
      case 'carrier.dial':
        return this.dial();
      case 'carrier.hangUp':
        return this.hangUp();
      case 'carrier.redirect':
        return this.redirect(command.plan);
      default:
        return;
    }
  }

  private dial(): void {
    const { machine, random } = this;
    machine.later(random.between(50, 900), () => machine.feed({ type: 'carrier.bound', carrierCallId: 'CA1' }));
    machine.later(random.between(100, 1_200), () => this.progress('ringing'));
    const answeredMs = random.between(1_000, 4_000);
    machine.later(answeredMs, () => this.progress('answered'));
    machine.later(answeredMs + random.between(0, 400), () => this.stream());
  }

  private progress(status: 'ringing' | 'answered' | 'completed'): void {
    this.machine.feed({ type: 'carrier.progressed', status, source: 'webhook' });
  }

  private stream(): void {
    if (this.over) return;
    this.streamEpoch += 1;
    this.buffer.reset(this.streamEpoch);
    this.machine.feed({ type: 'carrier.streamStarted', epoch: this.streamEpoch });
  }

  private hangUp(): void {
    this.machine.later(this.random.between(20, 300), () => {
      const failed = this.random.chance(this.spec.trouble);
      this.machine.feed({ type: 'carrier.hungUp', outcome: failed ? 'failed' : 'done' });
      if (!failed) this.end();
    });
  }

  private redirect(plan: 'say' | 'reattach' | 'transfer'): void {
    const { machine } = this;
    if (plan === 'transfer' && this.random.chance(this.spec.trouble)) {
      machine.feed({ type: 'carrier.redirected', outcome: 'failed' });
      return;
    }
    machine.feed({ type: 'carrier.redirected', outcome: 'done' });
    machine.later(plan === 'say' ? 5_000 : 900, () => (plan === 'reattach' ? this.stream() : this.end()));
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.machine.feed({ type: 'carrier.streamEnded', epoch: this.streamEpoch, how: 'stopped' });
    this.machine.later(this.random.between(10, 400), () => this.progress('completed'));
  }

  /** The callee hangs up. */
  leave(): void {
    this.end();
  }

  loseStream(): void {
    const { machine, streamEpoch } = this;
    if (!this.over && streamEpoch > 0)
      machine.feed({ type: 'carrier.streamEnded', epoch: streamEpoch, how: 'dropped' });
  }

  /** The callee speaks for a while. The detector takes a moment to be sure. */
  say(durationMs: number, text: string | null): void {
    const heard = () => this.machine.call.uplink === 'model' && !this.over;
    this.machine.later(this.spec.carrier.oneWayMs + 120, () => {
      if (heard()) this.model.speechStarts();
    });
    this.machine.later(this.spec.carrier.oneWayMs + 120 + durationMs, () => this.model.speechStops(text));
  }

  private truncated(command: Extract<CallCommand, { type: 'model.truncate' }>): void {
    const last = this.clears.at(-1);
    if (last?.atMs === this.machine.nowMs)
      (last.truncated as Map<string, number>).set(command.itemId, command.audioEndMs);
  }

  /** Ours against the truth, for each item that the carrier had. What we did not truncate we took for heard. */
  private compare(truth: Truth): void {
    const ours = this.clears.shift();
    if (!ours || ours.atMs !== truth.clearedAtMs) throw new Error('a clear overtook another');
    this.clearNumber += 1;
    for (const [itemId, heardMs] of truth.heardMs) {
      const sentMs = truth.sentMs.get(itemId) ?? 0;
      const believedMs = ours.truncated.get(itemId) ?? sentMs;
      this.measured.push({
        errorMs: believedMs - heardMs,
        sinceStallMs: truth.sinceStallMs,
        clearNumber: this.clearNumber,
        afterDone: this.madeItems.has(itemId),
      });
    }
  }
}
