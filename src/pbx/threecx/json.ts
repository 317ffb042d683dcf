/** What 3CX answers, read leniently: fields come and go between its builds, and none but an id is relied on. */

export type Row = Readonly<Record<string, unknown>>;

/** Null for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function rowOf(value: unknown): Row | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

/** The rows of a list; a list of one may come as the row itself. */
export function rowsOf(value: unknown): readonly Row[] {
  if (Array.isArray(value)) return value.map(rowOf).filter((row) => row !== null);
  const row = rowOf(value);
  // What OData says of a list is no row of it.
  if (row === null || Object.keys(row).every((key) => key.startsWith('@'))) return [];
  return 'value' in row ? rowsOf(row.value) : [row];
}

/** Null for what is absent, which 3CX also says by an empty text. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

export function flagOf(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** ISO 8601 durations as the reports have them (`PT1M5S`, `P1DT2H`), in seconds. */
export function secondsOf(value: unknown): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(textOf(value) ?? '');
  if (match === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round(((days * 24 + hours) * 60 + minutes) * 60 + seconds);
}
