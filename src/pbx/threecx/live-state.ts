/**
 * Which calls there are, from snapshots and from events that only say what has changed. Pure. Whatever comes late is older than what is
 * known, and is dropped: an answer belongs to the moment in which it was asked for, counted by `order`, as 3CX gives no times.
 */
import type { CallControlEvent, ControlledDn, Participant } from './call-control.ts';
import { jsonOf, numberOf, rowOf, textOf } from './json.ts';

export interface Frame {
  readonly sequence: number | null;
  /** Null: it cannot be read. */
  readonly type: number | null;
  /** Such as `/callcontrol/209/participants/6`. */
  readonly entity: string;
  readonly attached: unknown;
}

export type Ask =
  | { readonly kind: 'snapshot' }
  /** To be looked at; the answer is given to `looked` with this `order`. */
  | { readonly kind: 'participant'; readonly dn: string; readonly id: number; readonly order: number };

/** Of the events socket (3CX, Call Control API docs: `event_type`). */
const UPSERTED = 0;
const REMOVED = 1;
const DTMF = 2;

export function frameOf(text: string): Frame {
  const frame = rowOf(jsonOf(text));
  const event = rowOf(frame?.event);
  return {
    sequence: numberOf(frame?.sequence),
    type: numberOf(event?.event_type),
    entity: textOf(event?.entity) ?? '',
    attached: event?.attached_data ?? null,
  };
}

interface Known {
  /** `unseen`: an event told of it, and it has not been looked at yet. */
  readonly participant: Participant | 'unseen' | 'gone';
  readonly order: number;
}

export class LiveState {
  readonly #tell: (event: CallControlEvent) => void;
  #dns: readonly ControlledDn[] = [];
  /** By entity; those that are gone stay until a snapshot that was asked for later, so that no older answer brings them back. */
  readonly #known = new Map<string, Known>();
  #order = 0;
  #sequence: number | null = null;

  constructor(tell: (event: CallControlEvent) => void) {
    this.#tell = tell;
  }

  dns(): readonly ControlledDn[] {
    const up = [...this.#known.values()].map((one) => one.participant).filter((one) => typeof one === 'object');
    return this.#dns.map((dn) => ({ ...dn, participants: up.filter((one) => one.dn === dn.dn) }));
  }

  /** A new connection counts anew. */
  connected(): void {
    this.#sequence = null;
  }

  frame(frame: Frame): readonly Ask[] {
    const { sequence } = frame;
    const last = this.#sequence;
    if (sequence !== null) this.#sequence = sequence;
    // What was missed is not known, so all is looked at again; a count that goes back is another count.
    const isGap =
      frame.type === null || (sequence !== null && last !== null && (sequence > last + 1 || sequence < last));
    const asks = this.#take(frame);
    return isGap ? [{ kind: 'snapshot' }, ...asks] : asks;
  }

  /** To be called when a snapshot is asked for; the answer goes to `snapshot`. */
  snapshotAsked(): number {
    return this.#order;
  }

  snapshot(order: number, dns: readonly ControlledDn[]): void {
    this.#dns = dns.map((dn) => ({ ...dn, participants: [] }));
    const listed = new Map(dns.flatMap((dn) => dn.participants).map((one) => [entityOf(one.dn, one.id), one]));
    for (const [entity, { participant, order: seen }] of [...this.#known]) {
      if (seen > order || listed.has(entity)) continue;
      this.#known.delete(entity);
      if (typeof participant === 'object')
        this.#tell({ kind: 'gone', dn: participant.dn, participantId: participant.id });
    }
    for (const [entity, participant] of listed) {
      if ((this.#known.get(entity)?.order ?? 0) <= order) this.#set(entity, participant, order);
    }
  }

  /** What was found by an ask; null is gone. False when it came too late to count. */
  looked(dn: string, id: number, order: number, participant: Participant | null): boolean {
    const entity = entityOf(dn, id);
    if ((this.#known.get(entity)?.order ?? 0) > order) return false;
    if (participant === null) this.#gone(dn, id, order);
    else this.#set(entity, participant, order);
    return true;
  }

  /** What the answer to a makecall says, which may come before or after the events of that call. */
  placed(participant: Participant): void {
    const entity = entityOf(participant.dn, participant.id);
    const known = this.#known.get(entity) ?? { participant: 'unseen', order: this.#order + 1 };
    if (known.participant !== 'unseen') return;
    this.#order = Math.max(this.#order, known.order);
    this.#set(entity, participant, known.order);
  }

  #take({ type, entity, attached }: Frame): readonly Ask[] {
    const match = /^\/callcontrol\/([^/]+)\/participants\/(\d+)$/.exec(entity);
    if (match === null) return type === UPSERTED || type === REMOVED ? [{ kind: 'snapshot' }] : [];
    const [dn, id] = [decoded(match[1] ?? ''), Number(match[2])];
    this.#order += 1;
    if (type === DTMF) {
      const digits = textOf(rowOf(attached)?.dtmf_input);
      if (digits !== null) this.#tell({ kind: 'digits', dn, participantId: id, digits });
    }
    if (type === REMOVED) this.#gone(dn, id, this.#order);
    if (type !== UPSERTED) return [];
    const key = entityOf(dn, id);
    // From now on older answers are too old.
    this.#known.set(key, { participant: this.#known.get(key)?.participant ?? 'unseen', order: this.#order });
    return [{ kind: 'participant', dn, id, order: this.#order }];
  }

  #set(entity: string, participant: Participant, order: number): void {
    const before = this.#known.get(entity)?.participant;
    this.#known.set(entity, { participant, order });
    if (JSON.stringify(before) !== JSON.stringify(participant)) this.#tell({ kind: 'participant', participant });
  }

  /** Told even where it was not known: whoever has just placed that call may be waiting to hear of it. */
  #gone(dn: string, id: number, order: number): void {
    const entity = entityOf(dn, id);
    const before = this.#known.get(entity)?.participant;
    this.#known.set(entity, { participant: 'gone', order });
    if (before !== 'gone') this.#tell({ kind: 'gone', dn, participantId: id });
  }
}

function entityOf(dn: string, id: number): string {
  return `${dn}/${id}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
