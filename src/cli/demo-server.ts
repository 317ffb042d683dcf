import { resolve } from 'node:path';
import { UserInputError } from '../errors.ts';
import { connectStdioClient, type StdioClient } from '../mcp/client.ts';
import { VERSION } from '../version.ts';

export type Show = (text: string) => void;

/** The server as an MCP client starts it, pointed at a simulated world by its ordinary settings. */
export function startDemoServer(env: Readonly<Record<string, string>>, dataDir: string): Promise<StdioClient> {
  const [entry] = process.argv.slice(1);
  if (entry === undefined) throw new UserInputError('the demo needs to be run as "switchboard demo".');
  return connectStdioClient({
    command: process.execPath,
    args: [...process.execArgv, resolve(entry), '--simulate'],
    env: { ...env, DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    // Away from the user's own .env, which is for real calls.
    cwd: dataDir,
    version: VERSION,
    stderr: 'inherit',
  });
}
