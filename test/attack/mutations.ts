/** Damage done to valid messages, so that much of what is sent still gets deep into the reader before it breaks. */
import type { Random } from '../fuzz/random.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const RIGHT_TO_LEFT = '\u202e';
const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  '\u0000\u0001\u001b[2J',
  '\ud800',
  '\udfff\ud800',
  `${RIGHT_TO_LEFT}gnissap`,
  '\u{e0041}\u{e0042}\ufeff',
  '<Response><Hangup/></Response>',
  '"}]}\n{"event":"stop"}',
  "'; DROP TABLE calls; --",
  '../../../../etc/passwd',
  '%00%ff%c0%af',
  '💥'.repeat(50),
];
const NUMBERS = [0, -0, -1, 0.5, 1e-320, 1e308, -1e308, 2 ** 31, 2 ** 53, -(2 ** 63), 4_294_967_296, 160];

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.whole(0, items.length - 1)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

export function longText(random: Random, most = 20_000): string {
  return pick(random, ['x', 'A', '\u0000', '"', '\\', 'é', '💥', '\n']).repeat(random.whole(200, most));
}

/** An object or array in itself, `depth` times. */
export function deep(depth: number, kind: 'array' | 'object'): string {
  return kind === 'array' ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** A value of any kind that was not asked for. */
export function oddValue(random: Random): Json {
  switch (random.whole(0, 8)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return pick(random, NUMBERS);
    case 3:
    case 4:
      return pick(random, TEXTS);
    case 5:
      return longText(random, 2_000);
    case 6:
      return Array.from({ length: random.whole(0, 40) }, () => pick(random, TEXTS));
    case 7:
      return { a: { b: [pick(random, NUMBERS)] }, length: 3, toJSON: 'x' };
    default:
      return JSON.parse(deep(random.whole(2, 300), random.chance(0.5) ? 'array' : 'object'));
  }
}

/** Changes the message in one to three places: a member is deleted, added or gets another value. */
export function mutate(random: Random, message: Json): Json {
  let changed = message;
  for (let times = random.whole(1, 3); times > 0; times -= 1) changed = mutateOnce(random, changed);
  return changed;
}

function mutateOnce(random: Random, value: Json): Json {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.9)) {
    const at = random.whole(0, value.length - 1);
    return value.map((each, index) => (index === at ? mutateOnce(random, each) : each));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return oddValue(random);
  const names = Object.keys(value);
  if (names.length === 0 || random.chance(0.08)) return withMember(value, oddName(random), oddValue(random));
  const name = pick(random, names);
  const { [name]: member = null, ...rest } = value as Record<string, Json>;
  if (random.chance(0.15)) return rest;
  const inner = typeof member === 'object' && member !== null;
  return withMember(rest, name, inner && random.chance(0.7) ? mutateOnce(random, member) : oddValue(random));
}

function oddName(random: Random): string {
  return random.chance(0.6) ? pick(random, ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'then']) : 'zz';
}

/** Own members only, `__proto__` included, which an assignment would not make one. */
function withMember(value: object, name: string, member: Json): Json {
  const copy = { ...value } as Record<string, Json>;
  Object.defineProperty(copy, name, { value: member, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** The text of a message, now and then damaged as a text: cut off, doubled, spiced with bytes, no JSON at all. */
export function damage(random: Random, text: string): string {
  const at = random.whole(0, text.length);
  switch (random.whole(0, 9)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text + text;
    case 2:
      return `${text.slice(0, at)}${pick(random, TEXTS)}${text.slice(at)}`;
    case 3:
      return text.replace(/:("[^"]*"|\d+)/, pick(random, [':1e999', ':NaN', ':-', ':01', ':"\\u00"', ':undefined']));
    case 4:
      return deep(pick(random, [10, 1_000, 40_000]), random.chance(0.5) ? 'array' : 'object');
    case 5:
      return text.replace(/^\{/, '{"type":5,"event":7,"__proto__":{"polluted":true},');
    case 6:
      return `\ufeff${text}`;
    case 7:
      return pick(random, ['', ' ', '0', 'null', '"text"', '[]', '{}', '[{}]', 'true', '{"', '<xml/>', '\u0000']);
    case 8:
      return text.replaceAll('"', "'");
    default:
      return longText(random);
  }
}

export function bytes(random: Random, most = 400): Buffer {
  return Buffer.from(Array.from({ length: random.whole(0, most) }, () => random.whole(0, 255)));
}
