import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import { storeContract } from '../../contracts/store.ts';

storeContract('SQLite', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-store-'));
  return {
    open: (options = {}) => openSqliteStore({ dataDir, ...options }),
    dispose: async () => rmSync(dataDir, { recursive: true, force: true }),
  };
});
