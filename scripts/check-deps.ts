/** `npm run check:deps`: every package used, none missing, licences compatible; says what to do otherwise. */
import { fileURLToPath } from 'node:url';
import { dependencyFaults } from './dependency-faults.ts';

const faults = dependencyFaults(fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''));
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
