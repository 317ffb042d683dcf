/** Writes `docs/tools.md` from the catalogue: `node scripts/tools-table.ts`. */
import { writeFileSync } from 'node:fs';
import { toolsPage } from './tools-page.ts';

writeFileSync(new URL('../docs/tools.md', import.meta.url), toolsPage());
