import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { toolsPage } from '../../scripts/tools-page.ts';

it('docs/tools.md says what the catalogue says; npm run docs writes it anew', () => {
  expect(readFileSync(new URL('../../docs/tools.md', import.meta.url), 'utf8')).toBe(toolsPage());
});
