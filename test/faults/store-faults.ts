import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Expected, type Scene, until } from './cell.ts';
import { AFTER_CREATE, atEach, type Fault, GOES_ON } from './matrix.ts';

const FILE = 'switchboard.sqlite';
const LOCKED_MS = 2_200;

const refused = (sentence: RegExp): Expected => ({
  outcomes: [],
  refused: sentence,
  dialled: false,
  told: 'not placed, a sentence',
});

/** As another process does that writes for long. */
function lock({ office, later }: Scene, forMs: number): void {
  const other = new DatabaseSync(join(office.dataDir, FILE));
  other.exec('PRAGMA busy_timeout = 3000; BEGIN IMMEDIATE');
  let held = true;
  const release = (): void => {
    if (held) other.close();
    held = false;
  };
  const timer = setTimeout(release, forMs);
  later(() => {
    clearTimeout(timer);
    release();
  });
}

/** Small pages, so that the next line needs a new one. */
function smallPages(dataDir: string): void {
  const database = new DatabaseSync(join(dataDir, FILE));
  database.exec('PRAGMA page_size = 512; CREATE TABLE page_size (bytes INTEGER); DROP TABLE page_size');
  database.close();
}

/** Until the line is down: what the store could not take is beside it then, and it takes it when there is room again. */
async function fill(scene: Scene): Promise<void> {
  scene.limitPages(1);
  const { calls } = scene.office.world.twilio;
  void until(() => calls[0]?.isOver === true, 25_000)
    .then(() => until(() => scene.office.log.some((line) => line.includes('kept beside it')), 3_000))
    .catch(() => undefined)
    .then(() => scene.limitPages(0));
}

export const STORE_FAULTS: readonly Fault[] = [
  {
    name: 'store: locked by another process',
    at: {
      placing: { strike: (scene) => lock(scene, 5_000), expected: refused(/busy/) },
      ...atEach(AFTER_CREATE, () => ({
        strike: (scene) => lock(scene, LOCKED_MS),
        expected: { ...GOES_ON, told: 'goes on, written later' },
      })),
    },
    otherwise: {},
  },
  {
    name: 'store: disk full',
    at: {
      placing: {
        prepare: smallPages,
        request: { context: 'Book a table. '.repeat(500) },
        strike: (scene) => scene.limitPages(1),
        expected: refused(/full/),
      },
      ...atEach(AFTER_CREATE, () => ({
        prepare: smallPages,
        strike: fill,
        expected: { ...GOES_ON, logged: /kept beside it/, told: 'goes on, kept beside the store' },
      })),
    },
    otherwise: {},
  },
];
