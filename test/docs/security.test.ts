import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PRICES } from '../../src/call/prices.ts';
import { readPricesFile } from '../../src/config/prices-file.ts';

const TEST = new URL('../', import.meta.url);
const SHOWN_BY = /`([\w/-]+(?:\.test)?\.ts)`((?:,? "[^"]+")*)/g;

function page(name: string): string {
  return readFileSync(new URL(`../docs/${name}`, TEST), 'utf8');
}

function plain(text: string): string {
  return text.replaceAll('’', "'").replaceAll("\\'", "'");
}

it('docs/security.md has a test for each claim, and every test that it names exists', () => {
  const text = page('security.md');
  const tables = [...text.matchAll(/^\| claim .*\n\|[-|]+\n((?:\|.*\n)+)/gm)];
  const claims = tables.flatMap(([, rows = '']) => rows.trim().split('\n'));
  expect(claims.length).toBeGreaterThan(35);
  expect(claims.filter((claim) => !/`[\w/.-]+\.ts`/.test(claim))).toEqual([]);
  const wrong = [...text.matchAll(SHOWN_BY)].flatMap(([, file = '', names = '']) => {
    const url = new URL(file, TEST);
    if (!existsSync(url)) return [file];
    const source = plain(readFileSync(url, 'utf8'));
    const parts = [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => plain(name));
    return parts.filter((part) => !source.includes(part)).map((part) => `${file}: ${part}`);
  });
  expect(wrong).toEqual([]);
});

it('docs/costs.md shows a file of prices that can be used, and the prices that are built in', () => {
  const text = page('costs.md');
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-costs-page-'));
  try {
    const file = join(folder, 'prices.json');
    writeFileSync(file, /```json\n([\s\S]+?)```/.exec(text)?.[1] ?? '');
    const { prices, complaint } = readPricesFile(file, PRICES);
    expect(complaint).toBeNull();
    expect(prices.models['gpt-realtime-2.1']).toMatchObject({ audioInput: 30, audioOutput: 64 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const two = (usd: number | undefined): string =>
    usd === undefined ? '?' : usd < 1 ? usd.toFixed(2) : usd.toFixed(usd % 1 === 0 ? 0 : 2);
  for (const [name, model] of Object.entries(PRICES.models)) {
    const row = text
      .split('\n')
      .find((line) => line.includes(`\`${name}\``) && (line.startsWith('|') || line.includes('Transcription')));
    const audio = `${two(model.audioInput)} / ${two(model.audioCached)} / ${two(model.audioOutput)}`;
    expect(row).toContain(model.perMinute === undefined ? audio : String(model.perMinute));
  }
});
