/** An Asterisk of one's own: started as a process of this user with a private configuration on loopback, and stopped again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type OfficeOptions, officeFiles } from './configuration.ts';

export type PbxOptions = Omit<OfficeOptions, 'moduleFolder' | 'dataFolder'> & {
  /** The program; Asterisk 22.8 or later with chan_websocket. */
  readonly program: string;
};

export interface Pbx {
  readonly folder: string;
  /** Runs a command of its console, for looking at it from outside; answers with what it prints. */
  console(command: string): Promise<string>;
  /** What it has logged: notices, warnings and errors. */
  log(): string;
  /** At once, as when the machine loses its power. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const START_TRIES = 100;
const TRY_MS = 100;
const STOP_MS = 5_000;

/** @throws Error with Asterisk's own words when it does not start */
export async function startPbx(options: PbxOptions): Promise<Pbx> {
  const { folder, program } = options;
  for (const name of ['etc', 'lib', 'lib/agi-bin', 'keys', 'spool/monitor', 'run', 'log/cdr-csv', 'cache'])
    mkdirSync(join(folder, name), { recursive: true });
  const files = officeFiles({ ...options, ...foldersOf(program) });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'etc', name), text, { mode: 0o600 });
  const main = join(folder, 'etc', 'asterisk.conf');
  const child = spawn(program, ['-f', '-C', main], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4_000);
    });
  const run = promisify(execFile);
  const ask = async (command: string): Promise<string> => (await run(program, ['-C', main, '-rx', command])).stdout;
  for (let left = START_TRIES; ; left -= 1) {
    const answer = await ask('core waitfullybooted').catch(() => '');
    if (answer.includes('fully booted')) break;
    if (left === 0 || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new Error(`Asterisk did not start. It said: ${said}`);
    }
    await delay(TRY_MS);
  }
  const log = join(folder, 'log', 'messages.log');
  return {
    folder,
    console: ask,
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    kill: () => ended(child, 'SIGKILL'),
    stop: async () => {
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended(child, 'SIGTERM');
      clearTimeout(hard);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Where Debian's packages put modules and sounds: beneath `/`, or beneath `root` beside the program. */
function foldersOf(program: string): { readonly moduleFolder: string; readonly dataFolder: string } {
  const root =
    [join(dirname(program), 'root'), '/'].find((path) => existsSync(join(path, 'usr/share/asterisk'))) ?? '/';
  const libraries = join(root, 'usr/lib');
  const moduleFolder = ['', ...readdirSync(libraries)]
    .map((name) => join(libraries, name, 'asterisk/modules'))
    .find((path) => existsSync(path));
  if (moduleFolder === undefined) throw new Error(`No modules of Asterisk are beneath ${libraries}.`);
  return { moduleFolder, dataFolder: join(root, 'usr/share/asterisk') };
}
