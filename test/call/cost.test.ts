import { describe, expect, it } from 'vitest';
import { type Consumption, costOf } from '../../src/call/cost.ts';
import { PRICES } from '../../src/call/prices.ts';
import { addUsage, NO_USAGE, type Usage } from '../../src/call/words.ts';

/** The platform's token clock: one token for 100 ms of the caller, one for 50 ms of the assistant. */
const CALLER_TOKENS_PER_MINUTE = 600;
const ASSISTANT_TOKENS_PER_MINUTE = 1_200;

function consumption(change: Partial<Omit<Consumption, 'usage'>> & { readonly usage?: Partial<Usage> }): Consumption {
  return {
    model: 'gpt-realtime-2.1',
    transcriptionModel: 'gpt-transcribe',
    carrier: 'twilio',
    direction: 'outbound',
    country: 'US',
    carrierSeconds: 0,
    ...change,
    usage: { ...NO_USAGE, ...change.usage },
  };
}

const cost = (change: Parameters<typeof consumption>[0]) => costOf(consumption(change), PRICES);

describe('the cost of a call', () => {
  it('counts a minute of each voice as the vendor does: 1.92 and 7.68 cents', () => {
    expect(cost({ usage: { inputAudioTokens: CALLER_TOKENS_PER_MINUTE } }).amount).toBe(0.0192);
    expect(cost({ usage: { outputAudioTokens: ASSISTANT_TOKENS_PER_MINUTE } }).amount).toBe(0.0768);
  });

  it('counts cached tokens once, at their own price, as the part of the input that they are', () => {
    const { parts } = cost({
      usage: {
        inputTextTokens: 119,
        inputAudioTokens: 13,
        cachedTextTokens: 60,
        cachedAudioTokens: 4,
        outputTextTokens: 30,
        outputAudioTokens: 91,
      },
    });
    // (59 · 4 + 60 · 0.40 + 9 · 32 + 4 · 0.40 + 30 · 24 + 91 · 64) / 10⁶
    expect(parts.model).toBe(0.0070936);
    const fresh = cost({ usage: { inputAudioTokens: 10_000 } }).amount;
    const cached = cost({ usage: { inputAudioTokens: 10_000, cachedAudioTokens: 10_000 } }).amount;
    expect(fresh / cached).toBeCloseTo(80, 6);
  });

  it('adds up the replies of a call, each of which pays for the whole conversation anew', () => {
    const replies = [600, 1_800, 3_000].map((inputAudioTokens) => ({ ...NO_USAGE, inputAudioTokens }));
    const usage = replies.reduce(addUsage, NO_USAGE);
    expect(cost({ usage }).amount).toBe(0.1728);
  });

  it('rounds the minutes of the line and of the audio stream up, each at its own price', () => {
    const talked = (carrierSeconds: number) => cost({ carrierSeconds }).parts;
    expect(talked(0)).toMatchObject({ carrier: 0, stream: 0 });
    expect(talked(0.2)).toMatchObject({ carrier: 0.014, stream: 0.0044 });
    expect(talked(60)).toMatchObject({ carrier: 0.014, stream: 0.0044 });
    expect(talked(61)).toMatchObject({ carrier: 0.028, stream: 0.0088 });
  });

  it('counts recording and transcription apart from the conversation', () => {
    const { parts, amount } = cost({ recordedSeconds: 130, usage: { transcribedMs: 20_000 } });
    expect(parts).toMatchObject({ model: 0, transcription: 0.0015, recording: 0.0075 });
    expect(amount).toBe(0.009);
  });

  it('estimates what a transcription counted in tokens costs by the minute, and says that it is an estimate', () => {
    const { parts, estimated } = cost({ usage: { transcriptionInputTokens: CALLER_TOKENS_PER_MINUTE } });
    expect(parts.transcription).toBe(0.0045);
    expect(estimated).toBe(true);
    expect(cost({ usage: { transcribedMs: 60_000 } })).toMatchObject({ amount: 0.0045, estimated: false });
  });

  it('says of an unknown model and an unknown country what is missing, and counts the rest', () => {
    const both = cost({
      model: 'my-deployment',
      country: 'DE',
      carrierSeconds: 50,
      usage: { outputAudioTokens: 1_000 },
    });
    expect(both).toMatchObject({ amount: 0.0044, complete: false, parts: { model: null, carrier: null } });
    expect(both.why).toEqual([expect.stringContaining('my-deployment'), expect.stringContaining('to DE')]);
    expect(cost({ country: null, carrierSeconds: 1 }).complete).toBe(false);
    // Names of JavaScript's own are no entries of the table.
    expect(cost({ model: 'constructor', carrier: 'toString', country: '__proto__', carrierSeconds: 1 })).toMatchObject({
      amount: 0,
      complete: false,
    });
  });

  it('misses nothing where nothing was used, whatever the names are', () => {
    expect(cost({ model: null, carrier: 'unheard of', country: null })).toMatchObject({
      amount: 0,
      complete: true,
      pricesDated: null,
      why: [],
    });
  });

  it('does not price what the table has no figure for, although it knows the model', () => {
    const { complete, parts } = cost({ model: 'gpt-live-transcribe', usage: { outputAudioTokens: 5 } });
    expect({ complete, model: parts.model }).toEqual({ complete: false, model: null });
  });

  it('tells the oldest date of the prices that were used, and whether one of them is an estimate', () => {
    const spoken = { outputAudioTokens: 100 };
    expect(cost({ usage: spoken })).toMatchObject({ pricesDated: '2026-09-14', estimated: false });
    expect(cost({ usage: spoken, carrierSeconds: 5 })).toMatchObject({ pricesDated: '2026-07-29', estimated: true });
    const snapshot = cost({ usage: spoken, model: 'gpt-realtime-2.1-2026-10-01' });
    expect(snapshot).toMatchObject({ amount: 0.0064, complete: true, estimated: true });
  });
});
