import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { faultsPage } from '../faults/page.ts';

it('docs/faults.md says what the fault matrix demands; npm run docs writes it anew', () => {
  expect(readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8')).toBe(faultsPage());
});
