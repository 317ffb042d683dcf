import { randomBytes } from 'node:crypto';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 21 random base62 characters, as the ids of the Realtime service have. */
export function base62(length = 21): string {
  let text = '';
  for (const byte of randomBytes(length)) text += BASE62[byte % 62] ?? '0';
  return text;
}

/** `item_…`, `resp_…` and the like. */
export function newId(prefix: 'event' | 'item' | 'resp' | 'conv' | 'sess' | 'call'): string {
  return `${prefix}_${base62()}`;
}
