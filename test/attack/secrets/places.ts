/** All that a server wrote, as places in which to look for secrets. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from '../../journeys/process.ts';
import type { Place } from './scan.ts';

export const text = (name: string, content: string): Place => ({ name, content: Buffer.from(content) });

/** Each file under a folder; `when` tells one look from another. */
export function filesOf(folder: string, when = ''): Place[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ name: `${path.slice(folder.length + 1)} ${when}`.trimEnd(), content: readFileSync(path) }));
}

export interface StartedServer {
  readonly server: ServerProcess;
  readonly dataDir: string;
}

/** What it said, logged and kept. */
export function placesOf({ server, dataDir }: StartedServer): readonly Place[] {
  return [text('stderr', server.log), text('stdout', server.stdout.join('\n')), ...filesOf(dataDir)];
}
