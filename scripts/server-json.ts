/** Writes `server.json`, which the MCP registry takes, from package.json and the settings: `node scripts/server-json.ts`. */
import { writeFileSync } from 'node:fs';
import { serverJson } from './server-page.ts';

writeFileSync(new URL('../server.json', import.meta.url), serverJson());
