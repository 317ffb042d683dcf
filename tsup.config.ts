import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    cli: 'src/cli/cli.ts',
    'store-worker': 'src/store/sqlite/store-worker.ts',
    'cdr-worker': 'src/pbx/asterisk/cdr/file-worker.ts',
  },
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  // Otherwise `node:sqlite` becomes `sqlite`, which does not exist.
  removeNodeProtocol: false,
  // npm ignores a dependency's overrides, so express-ws would bring its own ws 7 when the package is installed.
  noExternal: ['express-ws'],
  // It is CommonJS, and what it requires (http, express, ws) stays outside the bundle.
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module';\nconst require = createBundleRequire(import.meta.url);",
  },
  // Not minified, so stack traces can be read without maps, which would be two thirds of the package.
  sourcemap: false,
  clean: true,
  splitting: true,
});
