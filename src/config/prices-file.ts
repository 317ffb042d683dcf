import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { CarrierPrices, CountryPrices, ModelPrices, Prices } from '../call/prices.ts';

export interface PricesReading {
  readonly prices: Prices;
  /** What is wrong with the file, as a sentence; then the prices are those that were given, all of them. */
  readonly complaint: string | null;
}

const usd = z
  .number('must be a number')
  .min(0, 'must not be negative')
  .max(10_000, 'must be in US dollars, at most 10000')
  .optional();
const dated = z
  .string('must be a day such as 2026-11-01')
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be a day such as 2026-11-01');

const modelSchema = z.strictObject({
  estimated: z.boolean().optional(),
  audioInput: usd,
  audioCached: usd,
  audioOutput: usd,
  textInput: usd,
  textCached: usd,
  textOutput: usd,
  perMinute: usd,
});

const countrySchema = z.strictObject({
  estimated: z.boolean().optional(),
  outboundPerMinute: usd,
  inboundPerMinute: usd,
});

const carrierSchema = z.strictObject({
  streamPerMinute: usd,
  recordingPerMinute: usd,
  countries: z
    .record(z.string().regex(/^[A-Z]{2}$/, 'must be named by two capital letters, such as US'), countrySchema)
    .optional(),
});

const fileSchema = z.strictObject({
  dated,
  models: z.record(z.string(), modelSchema).optional(),
  carriers: z.record(z.string(), carrierSchema).optional(),
});

const KEEPS = 'Until it is mended, the built-in prices are used.';

/**
 * The prices with those of a JSON file over them, of the same shape with one `dated` for all of it: only what the file names
 * changes, and an entry that it names counts as of the file's date. Never throws.
 */
export function readPricesFile(file: string | null, ours: Prices): PricesReading {
  if (file === null) return { prices: ours, complaint: null };
  const refuse = (what: string): PricesReading => ({
    prices: ours,
    complaint: `PRICES_FILE (${resolve(file)}) ${what}. ${KEEPS}`,
  });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return refuse(`could not be read (${code})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return refuse(complaintOf(parsed.error));
  return { prices: merged(ours, parsed.data), complaint: null };
}

function complaintOf(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'cannot be read';
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const where = path.length === 0 ? '' : ` in ${path.join('.')}`;
    return `names ${JSON.stringify(issue.keys[0]?.slice(0, 60))}${where}, which the price table does not have`;
  }
  // A wrong key of a table: its own rule says how it must be.
  const nested = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  const message = nested ?? (issue.message.startsWith('must') ? issue.message : 'has the wrong form');
  return `is wrong: ${path.length === 0 ? 'its content' : path.join('.')} ${message}`;
}

function merged(ours: Prices, file: z.output<typeof fileSchema>): Prices {
  const models: Record<string, ModelPrices> = { ...ours.models };
  for (const [name, entry] of Object.entries(file.models ?? {})) {
    models[name] = { ...over(ours.models[name], entry), dated: file.dated };
  }
  const carriers: Record<string, CarrierPrices> = { ...ours.carriers };
  for (const [name, { countries = {}, ...entry }] of Object.entries(file.carriers ?? {})) {
    const before = ours.carriers[name];
    const there: Record<string, CountryPrices> = { ...before?.countries };
    for (const [country, prices] of Object.entries(countries)) there[country] = over(there[country], prices);
    carriers[name] = { ...over(before, entry), countries: there, dated: file.dated };
  }
  return { models, carriers };
}

/** What the operator says is no estimate of ours any more, unless he says so. */
function over<Entry extends object>(before: object | undefined, entry: Entry): Entry {
  return { ...before, estimated: false, ...entry };
}
