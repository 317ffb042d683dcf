/** Writes `manifest.json` into the folder of a bundle: `node scripts/bundle-files.ts FOLDER`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleManifest } from './bundle-manifest.ts';

writeFileSync(join(process.argv[2] ?? '.', 'manifest.json'), `${JSON.stringify(bundleManifest(), null, 2)}\n`);
