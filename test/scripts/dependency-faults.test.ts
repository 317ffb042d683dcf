import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dependencyFaults } from '../../scripts/dependency-faults.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchboard-deps-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

function install(name: string, manifest: object = {}): void {
  write(`node_modules/${name}/package.json`, { name, license: 'MIT', ...manifest });
}

/** A project in which all is well: a package used, one for tests, one that is a command, one for types, one bundled. */
function project(change: { readonly dependencies?: object; readonly devDependencies?: object } = {}): void {
  write('package.json', {
    name: 'project',
    scripts: { lint: 'linter check .' },
    dependencies: { used: '1', ...change.dependencies },
    devDependencies: {
      tested: '1',
      '@corp/linter': '1',
      shelled: '1',
      '@types/used': '1',
      typed: '1',
      bundled: '1',
      ...change.devDependencies,
    },
  });
  write(
    'src/a.ts',
    "import { x } from 'used/deep.js';\nimport type { T } from 'typed';\nimport bundle from 'bundled';\n",
  );
  write('src/b.ts', "import { readFileSync } from 'node:fs';\nexport const help = `import x from 'a-template'`;\n");
  write(
    'test/a.test.ts',
    "// import x from 'a-comment';\nimport {\n  y,\n} from 'tested';\nconst z = await import('used');\n",
  );
  write('scripts/run', '#!/bin/sh\nnode_modules/.bin/shell-tool --all\n');
  write('tsup.config.ts', "export default { noExternal: ['bundled'] };\n");
  write('THIRD-PARTY-LICENSES.txt', 'The licence of bundled:\n\nDo as you like.\nBut keep this.\n');
  for (const name of ['used', 'tested', 'typed', '@types/used']) install(name);
  install('@corp/linter', { bin: { linter: 'cli.js' } });
  install('shelled', { bin: { 'shell-tool': 'cli.js' } });
  install('bundled');
  write('node_modules/bundled/LICENSE', 'Do as you like.\nBut keep this.\n');
}

describe('the check of the dependencies', () => {
  it('finds nothing in this repository', () => {
    expect(dependencyFaults(fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, ''))).toEqual([]);
  });

  it('finds nothing where every package is used, named and free', () => {
    project();
    expect(dependencyFaults(root)).toEqual([]);
  });

  it('finds a package that nothing uses, and one that only tests use', () => {
    project({ dependencies: { idle: '1', tested: '1' }, devDependencies: { asleep: '1' } });
    for (const name of ['idle', 'asleep']) install(name);
    expect(dependencyFaults(root)).toEqual([
      expect.stringMatching(/runs idle, .*npm uninstall idle/),
      expect.stringMatching(/runs tested, .*move it to "devDependencies"/),
      expect.stringMatching(/uses asleep, .*npm uninstall asleep/),
    ]);
  });

  it('finds an import of what package.json does not name, and of a development package that runs in the program', () => {
    project();
    write('src/c.ts', "import { x } from '@scope/missing/deep';\nimport { y } from 'tested';\n");
    expect(dependencyFaults(root)).toEqual([
      'src/c.ts imports @scope/missing, which package.json does not name: npm install @scope/missing.',
      expect.stringMatching(/^src\/c\.ts imports tested, a development package/),
    ]);
  });

  it('finds a licence that does not go with MIT, however deep it lies', () => {
    project();
    install('used', { dependencies: { middle: '1' } });
    install('middle', { dependencies: { deep: '1' }, license: '(GPL-3.0 OR (MIT AND ISC))' });
    write('node_modules/middle/node_modules/deep/package.json', { name: 'deep', license: 'GPL-3.0-or-later' });
    install('deep', { license: 'Apache-2.0' });
    expect(dependencyFaults(root)).toEqual([
      expect.stringMatching(/^node_modules\/middle\/node_modules\/deep is under GPL-3\.0-or-later, which does not/),
    ]);
  });

  it.each([
    ['UNLICENSED', /UNLICENSED/],
    ['(MIT AND AGPL-3.0)', /AGPL/],
    [undefined, /names no licence/],
    [{ type: 'SSPL-1.0' }, /SSPL/],
  ])('finds the licence %j', (license, sentence) => {
    project();
    install('used', { license });
    expect(dependencyFaults(root)).toEqual([expect.stringMatching(sentence)]);
  });

  it('finds a bundled package whose licence is not passed on', () => {
    project();
    write('THIRD-PARTY-LICENSES.txt', 'None.');
    expect(dependencyFaults(root)).toEqual([expect.stringMatching(/^bundled is bundled: copy its LICENSE/)]);
  });

  it('finds a package that is not installed', () => {
    project();
    install('used', { dependencies: { gone: '1' } });
    expect(dependencyFaults(root)).toEqual(['gone is not installed: run npm ci.']);
  });
});
