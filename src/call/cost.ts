import type { CarrierPrices, ModelPrices, Prices } from './prices.ts';
import type { Usage } from './words.ts';

/** What a call has used up to now, and whose prices apply. */
export interface Consumption {
  /** Name of the speech model; null when it is not known. */
  readonly model: string | null;
  /** Name of the model that writes down the callee's words; null when there is none. */
  readonly transcriptionModel: string | null;
  readonly usage: Usage;
  /** Name of the carrier. */
  readonly carrier: string;
  readonly direction: 'outbound' | 'inbound';
  /** ISO 3166 code of the other side's country; null when it is not known. */
  readonly country: string | null;
  /** Since the call was answered; 0 when it was not. */
  readonly carrierSeconds: number;
  /** Recorded by the carrier. */
  readonly recordedSeconds?: number;
}

/** US dollars by what they are paid for; null where something was used whose price is not known. */
export interface CostParts {
  readonly model: number | null;
  readonly transcription: number | null;
  readonly carrier: number | null;
  readonly stream: number | null;
  readonly recording: number | null;
}

/** What a call costs by the price table: an estimate of the bills, which are the vendors' to write. */
export interface Cost {
  /** The sum of the parts that are known. */
  readonly amount: number;
  readonly currency: 'USD';
  readonly parts: CostParts;
  /** The oldest date of the prices that were used, `YYYY-MM-DD`; null when nothing was used. */
  readonly pricesDated: string | null;
  /** False: the call costs at least `amount`, and `why` says what is missing. */
  readonly complete: boolean;
  /** A price was used that is itself an estimate. */
  readonly estimated: boolean;
  /** Sentences of ours. */
  readonly why: readonly string[];
}

/** One position of the bill; `usd` null: something was used whose price is not known. */
interface Part {
  readonly usd: number | null;
  readonly dated: string | null;
  readonly estimated: boolean;
  readonly why: string | null;
}

const NOTHING: Part = { usd: 0, dated: null, estimated: false, why: null };
/** The end of a snapshot's name, as in `gpt-realtime-2025-08-28`. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;
/** The platform's token clock for what a person says ("Managing costs" in OpenAI's Realtime guide): one token every 100 ms. */
const CALLER_MS_PER_TOKEN = 100;
const MILLION = 1_000_000;
/** Sums of binary fractions are cut off here: a millionth of a cent. */
const DECIMALS = 8;

/** What has been used, by these prices. Never guesses: what has no price is missing from the amount, and said to be. */
export function costOf(used: Consumption, prices: Prices): Cost {
  const model = modelPart(used, prices);
  const transcription = transcriptionPart(used, prices);
  const carrier = carrierPart(used, prices);
  const minutes = startedMinutes(used.carrierSeconds);
  const stream = perMinutePart(used.carrier, prices, minutes, 'streamPerMinute', 'the audio stream');
  const recorded = startedMinutes(used.recordedSeconds ?? 0);
  const recording = perMinutePart(used.carrier, prices, recorded, 'recordingPerMinute', 'recording');
  const all = [model, transcription, carrier, stream, recording];
  const dates = all.map(({ dated }) => dated).filter((dated) => dated !== null);
  return {
    amount: rounded(all.reduce((sum, { usd }) => sum + (usd ?? 0), 0)),
    currency: 'USD',
    parts: {
      model: model.usd,
      transcription: transcription.usd,
      carrier: carrier.usd,
      stream: stream.usd,
      recording: recording.usd,
    },
    pricesDated: dates.toSorted()[0] ?? null,
    complete: all.every(({ usd }) => usd !== null),
    estimated: all.some(({ estimated }) => estimated),
    why: all.map(({ why }) => why).filter((why) => why !== null),
  };
}

/** The same cost, of which more is missing than the prices say. */
export function atLeast(cost: Cost, why: string): Cost {
  return { ...cost, complete: false, why: [...cost.why, why] };
}

function rounded(usd: number): number {
  return Number(usd.toFixed(DECIMALS));
}

/** A minute that has begun is billed whole (Twilio, "Voice pricing": call minutes round up). */
function startedMinutes(seconds: number): number {
  return Math.ceil(Math.max(0, seconds) / 60);
}

function unknown(why: string): Part {
  return { usd: null, dated: null, estimated: false, why };
}

/** Each response is billed the whole conversation anew; cached tokens are part of the input and have a price of their own. */
function modelPart({ model, usage }: Consumption, prices: Prices): Part {
  const positions: readonly (readonly [tokens: number, price: keyof ModelPrices])[] = [
    [usage.inputAudioTokens - usage.cachedAudioTokens, 'audioInput'],
    [usage.cachedAudioTokens, 'audioCached'],
    [usage.outputAudioTokens, 'audioOutput'],
    [usage.inputTextTokens - usage.cachedTextTokens, 'textInput'],
    [usage.cachedTextTokens, 'textCached'],
    [usage.outputTextTokens, 'textOutput'],
  ];
  return tokensPart(model, positions, prices);
}

function tokensPart(
  model: string | null,
  positions: readonly (readonly [tokens: number, price: keyof ModelPrices])[],
  prices: Prices,
): Part {
  const used = positions.filter(([tokens]) => tokens > 0);
  if (used.length === 0) return NOTHING;
  const found = pricesOf(model, prices);
  if (found === null) return unknown(noPrice(model));
  let usd = 0;
  for (const [tokens, name] of used) {
    const price = found[name];
    if (typeof price !== 'number') return unknown(noPrice(model));
    usd += (tokens * price) / MILLION;
  }
  return { usd: rounded(usd), dated: found.dated, estimated: found.estimated === true, why: null };
}

/** Billed apart from the conversation, by the audio's length or by tokens. */
function transcriptionPart({ transcriptionModel, usage }: Consumption, prices: Prices): Part {
  const { transcribedMs, transcriptionInputTokens, transcriptionOutputTokens } = usage;
  if (transcribedMs + transcriptionInputTokens + transcriptionOutputTokens <= 0) return NOTHING;
  const found = pricesOf(transcriptionModel, prices);
  const perMinute = found?.perMinute;
  if (found === null || perMinute === undefined) {
    if (transcribedMs > 0) return unknown(noPrice(transcriptionModel));
    return tokensPart(
      transcriptionModel,
      [
        [transcriptionInputTokens, 'audioInput'],
        [transcriptionOutputTokens, 'textOutput'],
      ],
      prices,
    );
  }
  const ms = transcribedMs + transcriptionInputTokens * CALLER_MS_PER_TOKEN;
  const estimated = found.estimated === true || transcriptionInputTokens > 0;
  return { usd: rounded((ms / 60_000) * perMinute), dated: found.dated, estimated, why: null };
}

function carrierPart({ carrier, country, direction, carrierSeconds }: Consumption, prices: Prices): Part {
  const minutes = startedMinutes(carrierSeconds);
  if (minutes === 0) return NOTHING;
  const found = ownOf(prices.carriers, carrier);
  const there = found === null || country === null ? null : ownOf(found.countries, country);
  const price = direction === 'outbound' ? there?.outboundPerMinute : there?.inboundPerMinute;
  if (found === null || there === null || price === undefined) {
    const where = country === null ? 'an unknown country' : country;
    const way = direction === 'outbound' ? 'to' : 'from';
    return unknown(`The price table has no price of ${carrier} for calls ${way} ${where}.`);
  }
  const estimated = found.estimated === true || there.estimated === true;
  return { usd: rounded(minutes * price), dated: found.dated, estimated, why: null };
}

function perMinutePart(
  carrier: string,
  prices: Prices,
  minutes: number,
  name: 'streamPerMinute' | 'recordingPerMinute',
  what: string,
): Part {
  if (minutes === 0) return NOTHING;
  const found: CarrierPrices | null = ownOf(prices.carriers, carrier);
  const price = found?.[name];
  if (found === null || price === undefined) {
    return unknown(`The price table has no price of ${carrier} for ${what}.`);
  }
  return { usd: rounded(minutes * price), dated: found.dated, estimated: found.estimated === true, why: null };
}

/** A dated snapshot costs what its model costs, as far as is known. */
function pricesOf(model: string | null, { models }: Prices): ModelPrices | null {
  if (model === null) return null;
  const exact = ownOf(models, model);
  if (exact !== null) return exact;
  const family = SNAPSHOT.test(model) ? ownOf(models, model.replace(SNAPSHOT, '')) : null;
  return family === null ? null : { ...family, estimated: true };
}

/** Names come from outside, and `constructor` is one. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}

function noPrice(model: string | null): string {
  return model === null
    ? 'It is not known which model was used.'
    : `The price table has no price of the model ${model} for what was used.`;
}
