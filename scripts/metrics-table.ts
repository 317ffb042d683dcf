/** Writes `docs/metrics.md` from the registry: `node scripts/metrics-table.ts`. */
import { writeFileSync } from 'node:fs';
import { metricsPage } from './metrics-page.ts';

writeFileSync(new URL('../docs/metrics.md', import.meta.url), await metricsPage());
