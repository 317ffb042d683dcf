/**
 * Truth in transcripts. Items of the model's conversation become lines, in the order of the item chain and not of arrival; a
 * line is told once it is final and everything before it is, so that a reader's cursor never misses or repeats one.
 */
import type { TurnItem, TurnsRegion } from './call.ts';
import { hasWords } from './closings.ts';
import type { ToldLine } from './commands.ts';
import type { ItemRole } from './events.ts';
import { PLACEHOLDER } from './sentences.ts';
import { ORPHAN_MS } from './timing.ts';

/** Adds an item behind `previousItemId` (null: at the front; undefined: not known), or completes what is known of it. */
export function addItem(
  turns: TurnsRegion,
  added: {
    readonly itemId: string;
    readonly previousItemId: string | null | undefined;
    readonly role: ItemRole;
    readonly nowMs: number;
    readonly startMs: number;
  },
): TurnsRegion {
  const known = itemOf(turns, added.itemId);
  if (known && (known.previousItemId !== undefined || added.previousItemId === undefined)) return turns;
  const item: TurnItem = known
    ? { ...known, previousItemId: added.previousItemId }
    : {
        itemId: added.itemId,
        role: added.role,
        previousItemId: added.previousItemId,
        addedAtMs: added.nowMs,
        orphanUntilMs: null,
        startMs: added.startMs,
        endMs: added.startMs,
        text: '',
        planned: null,
        interrupted: false,
        estimated: false,
        final: added.role === 'other',
        textDueMs: null,
        line: null,
      };
  const items = known ? turns.items.map((each) => (each === known ? item : each)) : [...turns.items, item];
  return arrange({ ...turns, items }, item.itemId, added.nowMs);
}

/**
 * Puts what has not been told yet in the order of the chain: each item behind its previous one, in order of arrival where the
 * chain says nothing. What has been told keeps its place, and a latecomer goes behind it. `changedId` starts to wait for its
 * place when that is not known; an item whose place is known waits no longer.
 */
function arrange(turns: TurnsRegion, changedId: string, nowMs: number): TurnsRegion {
  const told = turns.items.slice(0, turns.told);
  const open = turns.items.slice(turns.told);
  const openIds = new Set(open.map((item) => item.itemId));
  const follows = (item: TurnItem): boolean => item.previousItemId != null && openIds.has(item.previousItemId);
  const isPlaced = (item: TurnItem): boolean =>
    item.previousItemId === null ||
    follows(item) ||
    // From the back: a call of hours has thousands of items, and what is looked for is nearly always one of the last.
    (item.previousItemId !== undefined && told.findLast((each) => each.itemId === item.previousItemId) !== undefined);
  const behindTold = open.filter((item) => !follows(item) && item.previousItemId != null && isPlaced(item));
  const byArrival = open.filter((item) => !follows(item) && !behindTold.includes(item));
  const ordered = new Set<TurnItem>();
  // The rest of `open` stands last for chains that bite their own tail.
  const stack = [...behindTold, ...byArrival, ...open].reverse();
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (ordered.has(item)) continue;
    ordered.add(item);
    const { itemId } = item;
    stack.push(...open.filter((each) => each.previousItemId === itemId).reverse());
  }
  const waiting = (item: TurnItem): number | null => {
    if (isPlaced(item)) return null;
    return item.itemId === changedId ? nowMs + ORPHAN_MS : item.orphanUntilMs;
  };
  const placed = [...ordered].map((item) => {
    const orphanUntilMs = waiting(item);
    return orphanUntilMs === item.orphanUntilMs ? item : { ...item, orphanUntilMs };
  });
  return { ...turns, items: [...told, ...placed] };
}

export function changeItem(turns: TurnsRegion, itemId: string, change: Partial<TurnItem>): TurnsRegion {
  const index = turns.items.findLastIndex((item) => item.itemId === itemId);
  const item = turns.items[index];
  return item ? { ...turns, items: turns.items.with(index, { ...item, ...change }) } : turns;
}

export function itemOf(turns: TurnsRegion, itemId: string): TurnItem | undefined {
  return turns.items.findLast((item) => item.itemId === itemId);
}

/** Tells the lines that are final, in order. `force`: the call is over, nothing is waited for. */
export function tell(
  turns: TurnsRegion,
  nowMs: number,
  force: boolean,
): { turns: TurnsRegion; lines: readonly ToldLine[] } {
  const first = turns.items[turns.told];
  if (!first || resolve(first, nowMs, force) === null) return { turns, lines: [] };
  const items = [...turns.items];
  const lines: ToldLine[] = [];
  let { told, lines: count } = turns;
  for (let item = items[told]; item !== undefined; item = items[told]) {
    const ready = resolve(item, nowMs, force);
    if (ready === null) break;
    if (ready.role !== 'other' && hasWords(ready.text)) {
      lines.push(lineOf(ready, count));
      items[told] = { ...ready, line: count };
      count += 1;
    } else {
      items[told] = ready;
    }
    told += 1;
  }
  return { turns: { items, told, lines: count }, lines };
}

/** The item as it can be told now, or null while something of it is still waited for. */
function resolve(item: TurnItem, nowMs: number, force: boolean): TurnItem | null {
  if (item.orphanUntilMs !== null && !force && nowMs < item.orphanUntilMs) return null;
  if (item.final) return item;
  if (item.role === 'callee' && item.textDueMs !== null && (force || nowMs >= item.textDueMs)) {
    return { ...item, final: true, text: PLACEHOLDER };
  }
  if (!force) return null;
  // Words of ours that are not settled by now were never heard.
  return item.role === 'agent'
    ? { ...item, final: true, text: '', planned: item.text, interrupted: true }
    : { ...item, final: true };
}

/** When `tell` has something to do without a further event; null when it has not. */
export function tellDueMs(turns: TurnsRegion): number | null {
  const item = turns.items[turns.told];
  if (!item) return null;
  const textDueMs = item.final ? Number.NEGATIVE_INFINITY : (item.textDueMs ?? Number.POSITIVE_INFINITY);
  const dueMs = Math.max(item.orphanUntilMs ?? Number.NEGATIVE_INFINITY, textDueMs);
  return Number.isFinite(dueMs) ? dueMs : null;
}

export function lineOf(item: TurnItem, index: number): ToldLine {
  return {
    index,
    itemId: item.itemId,
    speaker: item.role === 'callee' ? 'callee' : 'agent',
    text: item.text,
    ...(item.planned !== null && item.planned !== item.text ? { planned: item.planned } : {}),
    interrupted: item.interrupted,
    estimated: item.estimated,
    startMs: Math.max(0, Math.round(item.startMs)),
    endMs: Math.max(0, Math.round(Math.max(item.startMs, item.endMs))),
  };
}

/** The usual speed of speech, until a voice has shown its own. */
const LETTERS_PER_MS = 15 / 1_000;
/** A pause lasts as long as so many letters; without that a cut in a sentence of clauses is two words off. */
const PAUSES: Readonly<Record<string, number>> = { ',': 6, ';': 6, ':': 6, '.': 4, '!': 4, '?': 4, '、': 3, '。': 3 };

/** How long the text takes to say, in letters. */
export function spokenLength(text: string): number {
  let length = 0;
  for (const char of text) length += PAUSES[char] ?? 1;
  return length;
}

/**
 * The part of `text` that was heard, as an estimate by time, snapped back to a whole word. Text runs ahead of audio, so
 * for an item that was cut while it was made the whole length is guessed from the speed of speech.
 */
export function heardText(
  text: string,
  heardMs: number,
  receivedMs: number,
  done: boolean,
  lettersPerMs = LETTERS_PER_MS,
): string {
  const length = spokenLength(text);
  const wholeMs = done ? receivedMs : Math.max(receivedMs, length / lettersPerMs);
  if (wholeMs <= 0 || heardMs <= 0) return '';
  if (heardMs >= wholeMs) return text;
  const end = indexAt(text, (length * heardMs) / wholeMs);
  if (/\s/.test(text[end] ?? ' ')) return text.slice(0, end).trimEnd();
  // A script without spaces has no words to snap to.
  const space = text.slice(0, end).search(/\s\S*$/);
  if (space < 0) return /\s/.test(text) ? '' : text.slice(0, end);
  return text.slice(0, space).trimEnd();
}

/** The index in `text` up to which `spoken` letters reach. */
function indexAt(text: string, spoken: number): number {
  let length = 0;
  let index = 0;
  for (const char of text) {
    length += PAUSES[char] ?? 1;
    if (length > spoken) return index;
    index += char.length;
  }
  return index;
}
