/** Writes `docs/faults.md` from the fault matrix: `node scripts/faults-table.ts`. */
import { writeFileSync } from 'node:fs';
import { faultsPage } from '../test/faults/page.ts';

writeFileSync(new URL('../docs/faults.md', import.meta.url), faultsPage());
