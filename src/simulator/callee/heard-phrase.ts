import { msOfBytes } from '../../media/mulaw.ts';
import type { Phrase } from '../speech/phrasebook.ts';

/** A contiguous piece of a clip as it was heard; positions in bytes of the clip and of everything heard. */
export interface Piece {
  readonly from: number;
  to: number;
  readonly heardFrom: number;
}

export type FaultKind = 'loss' | 'duplicate' | 'reordered' | 'corrupt' | 'unknown';

/** Something that was not heard as it was recorded. Times in milliseconds, of the clip and since the ear began to listen. */
export interface EarFault {
  readonly kind: FaultKind;
  /** Null for sound that belongs to no clip. */
  readonly phraseId: string | null;
  readonly occurrence: number;
  readonly clipMs: number;
  readonly durationMs: number;
  readonly heardAtMs: number;
}

/** One saying of one phrase, in the pieces in which it was heard. */
export class HeardPhrase {
  readonly phrase: Phrase;
  /** Counts the sayings of this phrase from 1. */
  readonly occurrence: number;
  readonly pieces: Piece[] = [];

  constructor(phrase: Phrase, occurrence: number) {
    this.phrase = phrase;
    this.occurrence = occurrence;
  }

  get last(): Piece | undefined {
    return this.pieces.at(-1);
  }

  /** The furthest byte of the clip that was heard. */
  get reach(): number {
    return this.pieces.reduce((most, piece) => Math.max(most, piece.to), 0);
  }

  /** Index of the last heard byte + 1, on the ear's own count. */
  get heardTo(): number {
    const last = this.last;
    return last === undefined ? 0 : last.heardFrom + last.to - last.from;
  }

  /** Distinct bytes of the clip that were heard. */
  get heardBytes(): number {
    return this.survey().covered.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  faults(): readonly EarFault[] {
    const { covered, faults } = this.survey();
    let expected = 0;
    for (const [from, to] of covered) {
      if (from > expected) faults.push(this.fault('loss', expected, from - expected, this.heardAt(from)));
      expected = to;
    }
    return faults.sort((a, b) => a.heardAtMs - b.heardAtMs);
  }

  private survey(): { covered: [number, number][]; faults: EarFault[] } {
    let covered: [number, number][] = [];
    const faults: EarFault[] = [];
    let reach = 0;
    for (const piece of this.pieces) {
      const again = covered.map(([from, to]): [number, number] => [Math.max(from, piece.from), Math.min(to, piece.to)]);
      const twice = again.filter(([from, to]) => to > from);
      for (const [from, to] of twice) {
        faults.push(this.fault('duplicate', from, to - from, piece.heardFrom + from - piece.from));
      }
      const repeated = twice.reduce((sum, [from, to]) => sum + to - from, 0);
      const late = Math.min(piece.to, reach) - piece.from - repeated;
      if (late > 0) faults.push(this.fault('reordered', piece.from, late, piece.heardFrom));
      reach = Math.max(reach, piece.to);
      covered = merge([...covered, [piece.from, piece.to]]);
    }
    return { covered, faults };
  }

  private heardAt(clipByte: number): number {
    const piece = this.pieces.find((one) => one.from <= clipByte && clipByte < one.to);
    return piece === undefined ? this.heardTo : piece.heardFrom + clipByte - piece.from;
  }

  private fault(kind: FaultKind, clipByte: number, bytes: number, heardByte: number): EarFault {
    return {
      kind,
      phraseId: this.phrase.id,
      occurrence: this.occurrence,
      clipMs: msOfBytes(clipByte),
      durationMs: msOfBytes(bytes),
      heardAtMs: msOfBytes(heardByte),
    };
  }
}

function merge(ranges: [number, number][]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
