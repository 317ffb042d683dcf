import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { type ExamineOptions, examine } from '../../src/examine.ts';
import { startWorld, type World, type WorldOptions } from '../../src/simulator/world.ts';

/** What one examination found, by the name of the check; the worst where a check has several findings. */
export interface Report {
  readonly findings: readonly Finding[];
  of(check: string): Finding;
}

/** A world to examine, and what has to be cleared away afterwards. */
export interface Surgery {
  readonly world: World;
  folder(): string;
  later(close: () => unknown): void;
  /** With the settings of the simulated world; `null` takes one away. */
  examine(change?: Readonly<Record<string, string | null>>, options?: Partial<ExamineOptions>): Promise<Report>;
  /** A listener of another program; resolves with its port. */
  stranger(): Promise<number>;
  close(): Promise<void>;
}

export async function openSurgery(options: WorldOptions = {}): Promise<Surgery> {
  const closers: (() => unknown)[] = [];
  const world = await startWorld({ scenario: 'reservation', ...options });
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'switchboard-doctor-'));
    closers.push(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const usual = { ...world.env, DATA_DIR: folder(), MCP_PORT: '0', PORT: '0' };
  return {
    world,
    folder,
    later: (close) => void closers.push(close),
    examine: async (change = {}, more = {}) => {
      const given = Object.entries({ ...usual, ...change }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      );
      const reading = readConfig({ env: Object.fromEntries(given), argv: ['--simulate'] });
      return reportOf(await examine({ reading, offline: false, timeoutMs: 3_000, ...more }));
    },
    stranger: async () => {
      const server = createHttpServer((_request, response) => response.end('{"status":"ok"}'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closers.push(() => {
        server.closeAllConnections();
        server.close();
      });
      return (server.address() as AddressInfo).port;
    },
    close: async () => {
      for (const close of closers.splice(0).toReversed()) await close();
      await world.close();
    },
  };
}

const SEVERITY: readonly Finding['verdict'][] = ['ok', 'skipped', 'warn', 'fail'];

function reportOf(findings: readonly Finding[]): Report {
  return {
    findings,
    of: (check) => {
      const found = findings.filter((finding) => finding.check === check);
      const [worst] = found.toSorted((a, b) => SEVERITY.indexOf(b.verdict) - SEVERITY.indexOf(a.verdict));
      if (!worst) throw new Error(`nothing about ${check}: ${findings.map((one) => one.check).join(', ')}`);
      return worst;
    },
  };
}
