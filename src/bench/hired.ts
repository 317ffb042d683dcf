/** The processes of the bench. Each is this very program again, with duties that its parent asks for over IPC. */
import { spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

export type Role = 'world' | 'floor' | 'product';

/** What a process does when asked: one order in, one answer out; both are plain data. */
export type Duties<D> = { readonly [K in keyof D]: (order: never) => unknown };

type OrderOf<Duty> = Duty extends (order: infer Order) => unknown ? Order : never;
type AnswerOf<Duty> = Duty extends (order: never) => infer Answer ? Awaited<Answer> : never;

export interface Hired<D> {
  readonly pid: number;
  /** Rejects with the other side's sentence, and when the process is gone. */
  ask<K extends keyof D & string>(duty: K, order: OrderOf<D[K]>): Promise<AnswerOf<D[K]>>;
  /** Lets the process end by itself, and ends it after a while. */
  dismiss(): Promise<void>;
}

export interface HireOptions {
  readonly role: Role;
  /** The core that the process is pinned to; null where there is no choice. */
  readonly core: number | null;
  /** The command and its leading arguments. */
  readonly command: readonly string[];
  /** What the process logs goes there. */
  readonly folder: string;
  /** Where a CPU profile is written when the process ends. */
  readonly profileDir?: string;
}

interface Question {
  readonly id: number;
  readonly duty: string;
  readonly order: unknown;
}

type Reply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: string };

const LEAVE_MS = 15_000;

/** This very program, as it was started. */
export function thisCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? '')];
}

/** The cores for the world and for the server under test; null where processes cannot be pinned or there is only one core. */
export function chooseCores(): { readonly world: number; readonly server: number } | null {
  if (availableParallelism() < 2) return null;
  return spawnSync('taskset', ['-c', '0,1', 'true']).status === 0 ? { world: 0, server: 1 } : null;
}

export function hire<D extends Duties<D>>(options: HireOptions): Promise<Hired<D>> {
  const [node = process.execPath, ...args] = options.command;
  const profile = options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`];
  const words = [node, '--expose-gc', ...profile, ...args, 'bench', '--role', options.role];
  const pinned = options.core === null ? words : ['taskset', '-c', String(options.core), ...words];
  const [program = node, ...rest] = pinned;
  const log = openSync(join(options.folder, `${options.role}.log`), 'a');
  // An environment of its own: nothing of the operator's settings may reach a process that places calls.
  const child = spawn(program, rest, { env: {}, cwd: options.folder, stdio: ['ignore', log, log, 'ipc'] });
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  const gone = new Promise<void>((settle) => {
    child.once('exit', (code, signal) => {
      const error = new Error(`The ${options.role} process of the bench has ended (${signal ?? code}).`);
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
      settle();
    });
  });
  const hired: Hired<D> = {
    pid: child.pid ?? 0,
    ask: (duty, order) =>
      new Promise((settle, reject) => {
        if (!child.connected) return reject(new Error(`The ${options.role} process of the bench is gone.`));
        asked += 1;
        waiting.set(asked, { resolve: settle as (answer: unknown) => void, reject });
        child.send({ id: asked, duty, order } satisfies Question);
      }),
    dismiss: async () => {
      const deadline = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS);
      if (child.connected) child.disconnect();
      await gone;
      clearTimeout(deadline);
    },
  };
  return new Promise((ready, reject) => {
    child.once('error', reject);
    void gone.then(() => reject(new Error(`The ${options.role} process of the bench did not start.`)));
    child.on('message', (message: Reply | 'ready') => {
      if (message === 'ready') return ready(hired);
      const one = waiting.get(message.id);
      waiting.delete(message.id);
      if ('failure' in message) one?.reject(new Error(message.failure));
      else one?.resolve(message.answer);
    });
  });
}

/** The other side: does its duties until the parent lets go. Resolves then. */
export function serveParent<D extends Duties<D>>(duties: D): Promise<void> {
  const byName = duties as unknown as Readonly<Record<string, ((order: unknown) => unknown) | undefined>>;
  process.on('message', (question: Question) => {
    const answer = async (): Promise<Reply> => {
      try {
        return { id: question.id, answer: await byName[question.duty]?.(question.order) };
      } catch (error) {
        return { id: question.id, failure: error instanceof Error ? error.message : String(error) };
      }
    };
    void answer().then((reply) => process.connected && process.send?.(reply));
  });
  const left = new Promise<void>((settle) => process.once('disconnect', settle));
  process.send?.('ready');
  return left;
}
