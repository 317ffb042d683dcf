#!/usr/bin/env node
// Looks at the version of Node before anything is loaded that an older one cannot read; so nothing is imported at the top.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `switchboard: Node.js 22.18 or later is needed, this is ${process.versions.node}. Install a newer one, or run it under one from npm: npx -y -p node@24 -- switchboard\n`,
  );
  process.exit(1);
}
await (await import('./main.ts')).main();
