import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const TEST = new URL('../', import.meta.url);
const PAGE = readFileSync(new URL('../docs/calls.md', TEST), 'utf8');
/** A file of `test/`, and after it names of its tests: whole, the beginning, or the parts around an ellipsis. */
const SHOWN_BY = /`([\w/-]+(?:\.test)?\.ts)`((?:,? "[^"]+")*)/g;

function plain(text: string): string {
  return text.replaceAll('’', "'").replaceAll("\\'", "'");
}

it('docs/calls.md names tests that exist', () => {
  const named = [...PAGE.matchAll(SHOWN_BY)].map(([, file = '', names = '']) => ({ file, names }));
  expect(named.length).toBeGreaterThan(40);
  const wrong = named.flatMap(({ file, names }) => {
    const url = new URL(file, TEST);
    if (!existsSync(url)) return [file];
    const text = plain(readFileSync(url, 'utf8'));
    const parts = [...names.matchAll(/"([^"]+)"/g)].flatMap(([, name = '']) => name.split('…'));
    return parts.filter((part) => !text.includes(plain(part.trim()))).map((part) => `${file}: ${part}`);
  });
  expect(wrong).toEqual([]);
});
