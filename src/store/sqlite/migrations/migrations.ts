import { calls } from './0001-calls.ts';
import { recordings } from './0002-recordings.ts';
import { costs } from './0003-costs.ts';
import { entries } from './0004-entries.ts';
import { inbound } from './0005-inbound.ts';

/** In order; the schema's version is the number of those applied. Held in strings, so that they survive bundling. Only ever add. */
export const MIGRATIONS: readonly string[] = [calls, recordings, costs, entries, inbound];
