/** Writes `.env.example` from the schema of the settings: `node scripts/env-example.ts`. */
import { writeFileSync } from 'node:fs';
import { envExample } from '../src/config/env-example.ts';

writeFileSync(new URL('../.env.example', import.meta.url), envExample());
