import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { costOf } from '../../src/call/cost.ts';
import { PRICES } from '../../src/call/prices.ts';
import { NO_USAGE } from '../../src/call/words.ts';
import { readPricesFile } from '../../src/config/prices-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-prices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reading(content: unknown) {
  const file = join(folder, 'prices.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readPricesFile(file, PRICES);
}

describe('the file of prices', () => {
  it('changes only what it names, and dates the entries that it names', () => {
    const { prices, complaint } = reading({
      dated: '2026-11-20',
      models: { 'gpt-realtime-2.1': { audioOutput: 50 }, 'my-deployment': { audioOutput: 10 } },
      carriers: { twilio: { countries: { DE: { outboundPerMinute: 0.02 }, US: { outboundPerMinute: 0.01 } } } },
    });
    expect(complaint).toBeNull();
    expect(prices.models['gpt-realtime-2.1']).toMatchObject({ audioInput: 32, audioOutput: 50, dated: '2026-11-20' });
    expect(prices.models['gpt-realtime-2.1-mini']).toEqual(PRICES.models['gpt-realtime-2.1-mini']);
    expect(prices.carriers.twilio).toMatchObject({ streamPerMinute: 0.0044, dated: '2026-11-20' });
    const used = {
      model: 'my-deployment',
      transcriptionModel: null,
      usage: { ...NO_USAGE, outputAudioTokens: 1_000 },
      carrier: 'twilio',
      direction: 'outbound',
      carrierSeconds: 30,
    } as const;
    expect(costOf({ ...used, country: 'DE' }, prices)).toMatchObject({ amount: 0.0344, complete: true });
    // What the operator says is no estimate of ours.
    expect(costOf({ ...used, country: 'US' }, prices)).toMatchObject({ amount: 0.0244, estimated: false });
    expect(costOf({ ...used, country: 'US' }, PRICES)).toMatchObject({ complete: false });
  });

  it('is not needed', () => {
    expect(readPricesFile(null, PRICES)).toEqual({ prices: PRICES, complaint: null });
  });

  it.each([
    ['no file', null, /could not be read \(ENOENT\)/],
    ['no JSON', '{ dated: ', /is not JSON/],
    ['a list', '[]', /its content has the wrong form/],
    ['no date', { models: {} }, /dated must be a day such as 2026-11-01/],
    ['no day', { dated: '2026-13-01' }, /dated must be a day/],
    [
      'a misspelt price',
      { dated: '2026-11-20', models: { m: { audioOut: 1 } } },
      /names "audioOut" in models\.m, which/,
    ],
    [
      'a price below zero',
      { dated: '2026-11-20', models: { m: { textInput: -1 } } },
      /models\.m\.textInput must not be/,
    ],
    ['a price in words', { dated: '2026-11-20', models: { m: { textInput: '1' } } }, /textInput must be a number/],
    [
      'a country by its name',
      { dated: '2026-11-20', carriers: { twilio: { countries: { Germany: {} } } } },
      /Germany must be named by two capital letters/,
    ],
  ])('answers %s with a sentence, and the built-in prices stay', (_, content, sentence) => {
    const { prices, complaint } =
      content === null ? readPricesFile(join(folder, 'absent.json'), PRICES) : reading(content);
    expect(prices).toEqual(PRICES);
    expect(complaint).toMatch(sentence);
    expect(complaint).toMatch(/^PRICES_FILE \(\/.*\) .*Until it is mended, the built-in prices are used\.$/);
  });
});
