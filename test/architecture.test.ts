import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** A source file: its path from the root, with slashes, and its text. */
interface Source {
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly from: string;
  /** A path from the root for a relative import, else the package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

// ---- Arrows: who may import whom, by folder ---------------------------------------------------------------------------------

const FAMILIES: Readonly<Record<string, string>> = {
  carriers: 'src/carriers/carrier.ts',
  models: 'src/models/model.ts',
  store: 'src/store/store.ts',
};
/** What the edges ask of the switchboard, and where its figures go. */
const SWITCHBOARD_FACE: readonly string[] = ['src/switchboard/port.ts', 'src/switchboard/meter.ts'];

/** What a folder (or file at the root) of src may import besides itself and src/errors.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  // Which process holds a lease in the store, or a file beside it.
  'process-identity.ts': [],
  // Both are pure and of one layer; samples know nothing of calls.
  call: ['media'],
  media: [],
  // The schema names settings in the trade's words, but nothing runs there.
  config: ['call'],
  carriers: ['call', 'media', 'config'],
  models: ['call', 'media', 'config'],
  store: ['call', 'media', 'config', 'process-identity.ts'],
  pbx: ['call', 'config'],
  switchboard: ['carriers', 'models', 'store', 'pbx', 'call', 'media', 'config', 'process-identity.ts'],
  mcp: ['switchboard', 'store', 'pbx', 'call', 'config', 'process-identity.ts'],
  http: ['switchboard', 'carriers', 'store', 'call', 'config'],
  web: ['switchboard', 'store', 'call', 'config'],
  simulator: ['media'],
  // Looks at what compose would build, and judges what it sees.
  doctor: ['store', 'call', 'config'],
  // Other programs' files.
  install: ['config'],
  'examine.ts': ['*'],
  // What compose makes of the settings alone.
  'adapters.ts': ['*'],
  offices: ['*'],
  'app.ts': ['*'],
  'private-listener.ts': ['*'],
  'version.ts': [],
  'compose.ts': ['*'],
  cli: ['*'],
  // Measures the whole from outside; nothing but its command knows it.
  bench: ['*'],
};

// ---- Fences: who may use a package or a global -------------------------------------------------------------------------------

const PACKAGE_FENCES: readonly (readonly [pattern: RegExp, folders: readonly string[]])[] = [
  [/^(express|express-ws)$/, ['src/http/']],
  [/^@modelcontextprotocol\/sdk/, ['src/mcp/']],
  [/^twilio/, ['src/carriers/twilio/']],
  [/^node:sqlite$/, ['src/store/sqlite/', 'src/pbx/asterisk/cdr/']],
  [/^pg$/, ['src/store/postgres/', 'src/pbx/asterisk/cdr/']],
  [/^(kysely|mysql2)/, ['src/pbx/asterisk/cdr/']],
  [/^openai/, ['src/models/']],
  [/^prom-client$/, ['src/http/']],
  [/^pino/, ['src/compose.ts', 'src/cli/', 'src/config/']],
];
/** The server, its two kinds of transport, and our own client. */
const MAX_SDK_FILES = 4;
const MAX_LINES = 400;

const GLOBAL_FENCES: readonly (readonly [name: string, pattern: RegExp, folders: readonly string[]])[] = [
  ['process.env', /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/, ['src/config/']],
  [
    'stdout',
    /\bprocess\s*\.\s*stdout\b|\bconsole\s*\.\s*(log|info|debug|table|dir)\b/,
    ['src/mcp/stdio.ts', 'src/cli/'],
  ],
];

/** The core decides; clocks, sockets and chance are the shell's. */
const CORE_FENCE =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\b|\bMath\.random\b|\bprocess\.|\bPromise\b|\basync\b/;

function violations(sources: readonly Source[]): readonly string[] {
  const imports = sources.flatMap(importsOf);
  return [
    ...imports.flatMap(arrowFaults),
    ...imports.flatMap(packageFaults),
    ...sdkFaults(imports),
    ...sources.flatMap(textFaults),
  ];
}

const IMPORT =
  /(?:^|[\n;])\s*(?:import|export)\s+(?:(type)\s)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(source: Source): readonly Import[] {
  return [...codeOf(source.text, 'keepStrings').matchAll(IMPORT)].map((match) => {
    const target = match[2] ?? match[3] ?? match[4] ?? match[5] ?? '';
    const to = target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(source.path), target)) : target;
    return { from: source.path, to, typeOnly: match[1] === 'type' };
  });
}

/** The text without comments, and without the contents of strings unless they are wanted. */
function codeOf(text: string, strings: 'keepStrings' | 'dropStrings'): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (found) => {
    if (found.startsWith('/')) return found.startsWith('/*') ? found.replace(/[^\n]/g, ' ') : '';
    return strings === 'keepStrings' || found.startsWith('`') ? found : "''";
  });
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function vendorOf(path: string): string {
  const [, family = '', vendor = '', rest] = path.split('/');
  return rest === undefined ? family : `${family}/${vendor}`;
}

function arrowFaults({ from, to }: Import): readonly string[] {
  if (!to.startsWith('src/'))
    return to.startsWith('../') || to.startsWith('test/') ? [`${from} imports ${to}, outside src`] : [];
  const [source, target] = [folderOf(from), folderOf(to)];
  const may = MAY_IMPORT[source];
  if (may === undefined) return [`${from} is in a folder that architecture.md does not know`];
  if (source === target) return sameFamilyFaults(from, to);
  if (target === 'bench' && source !== 'cli') return [`${from} imports ${to}: only cli knows the bench`];
  if (to === 'src/errors.ts' || may.includes('*')) return [];
  if (!may.includes(target)) return [`${from} imports ${to}: ${source} may not import ${target}`];
  const port = FAMILIES[target];
  if (port !== undefined && to !== port) return [`${from} imports ${to}: only compose names adapters`];
  if (target === 'switchboard' && !SWITCHBOARD_FACE.includes(to))
    return [`${from} imports ${to}, not the switchboard's face`];
  if (target === 'pbx' && !to.endsWith('/operations.ts')) return [`${from} imports ${to}, not a vendor's operations`];
  return [];
}

function sameFamilyFaults(from: string, to: string): readonly string[] {
  const adapters = folderOf(from) in FAMILIES || folderOf(from) === 'pbx';
  const [mine, theirs] = [vendorOf(from), vendorOf(to)];
  // What several of a family need stands beside them.
  if (theirs === 'pbx' || theirs === 'carriers') return [];
  if (!adapters || mine === theirs || to === FAMILIES[folderOf(from)]) return [];
  return [`${from} imports ${to}: adapters of one family never meet`];
}

function packageFaults({ from, to, typeOnly }: Import): readonly string[] {
  if (from.startsWith('src/simulator/') && /^(twilio|openai|@openai|@modelcontextprotocol|express)/.test(to)) {
    return [`${from} imports ${to}: the simulators speak the protocol by themselves`];
  }
  if (/^src\/(call|media)\//.test(from) && !to.startsWith('src/'))
    return [`${from} imports ${to}: pure code needs no package`];
  return PACKAGE_FENCES.flatMap(([pattern, folders]) => {
    if (!pattern.test(to) || folders.some((folder) => from.startsWith(folder))) return [];
    return typeOnly && to.startsWith('pino') ? [] : [`${from} imports ${to}, which belongs to ${folders.join(', ')}`];
  });
}

function sdkFaults(imports: readonly Import[]): readonly string[] {
  const files = new Set(imports.filter(({ to }) => to.startsWith('@modelcontextprotocol/sdk')).map(({ from }) => from));
  return files.size > MAX_SDK_FILES
    ? [`${[...files].join(', ')}: more than ${MAX_SDK_FILES} files import the MCP SDK`]
    : [];
}

function textFaults({ path, text }: Source): readonly string[] {
  const faults: string[] = [];
  const code = codeOf(text, 'dropStrings');
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES && !/\/\/ Long because: \S/.test(text)) faults.push(`${path} has ${lines} lines and no reason`);
  if (/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/.test(code)) faults.push(`${path} has a default export`);
  if (/(?:[:<,|&(=]|\bas|\bkeyof|\bextends)\s*any\b(?!\s*[:(?])/.test(code)) faults.push(`${path} says any`);
  if (/\bexport\s+\*\s+from\b/.test(code)) faults.push(`${path} is a barrel`);
  for (const [name, pattern, folders] of GLOBAL_FENCES) {
    if (pattern.test(code) && !folders.some((folder) => path.startsWith(folder))) faults.push(`${path} uses ${name}`);
  }
  if (path.startsWith('src/call/') && CORE_FENCE.test(code)) faults.push(`${path} is not pure`);
  return faults;
}

// ---- The tests ----------------------------------------------------------------------------------------------------------------

const root = join(import.meta.dirname, '..');
const sources: readonly Source[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ path: `src/${name.replaceAll('\\', '/')}`, text: readFileSync(join(root, 'src', name), 'utf8') }));

describe('the architecture', () => {
  it('holds in every file of src: arrows, fences, lengths and forms', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(violations(sources)).toEqual([]);
  });

  it('reads the imports that are there', () => {
    const found = sources.flatMap(importsOf).map(({ to }) => to);
    expect(found).toContain('src/call/events.ts');
    expect(found).toContain('ws');
  });
});

describe('the checker of the architecture', () => {
  const planted: readonly (readonly [name: string, path: string, text: string, fault: RegExp])[] = [
    [
      'the core importing the shell',
      'src/call/a.ts',
      "import { x } from '../switchboard/port.ts';",
      /call may not import switchboard/,
    ],
    ['a type from above', 'src/media/a.ts', "import type { X } from '../call/words.ts';", /media may not import call/],
    ['the core using a package', 'src/call/a.ts', "import { z } from 'zod';", /needs no package/],
    ['the core reading a clock', 'src/call/a.ts', 'export const now = () => Date.now();', /not pure/],
    [
      'a carrier knowing a model',
      'src/carriers/twilio/a.ts',
      "import { m } from '../../models/model.ts';",
      /carriers may not import models/,
    ],
    [
      'adapters of one family meeting',
      'src/carriers/twilio/a.ts',
      "import { m } from '../asterisk/carrier.ts';",
      /never meet/,
    ],
    ['what carriers share knowing one', 'src/carriers/a.ts', "import { m } from './twilio/carrier.ts';", /never meet/],
    ['pbx vendors meeting', 'src/pbx/threecx/a.ts', "import { m } from '../asterisk/ami.ts';", /never meet/],
    [
      'the shell naming an adapter',
      'src/switchboard/a.ts',
      "import { m } from '../models/openai/model.ts';",
      /only compose/,
    ],
    ['an edge behind the face', 'src/mcp/a.ts', "import { m } from '../switchboard/bridge.ts';", /face/],
    ['an edge naming a store', 'src/http/a.ts', "import { m } from '../store/sqlite/store.ts';", /only compose/],
    ['mcp knowing http', 'src/mcp/a.ts', "import { m } from '../http/server.ts';", /mcp may not import http/],
    ['a tool behind operations', 'src/mcp/a.ts', "import { m } from '../pbx/asterisk/ami.ts';", /operations/],
    [
      'a simulator importing an adapter',
      'src/simulator/a.ts',
      "import { m } from '../models/openai/dialect.ts';",
      /simulator may not import models/,
    ],
    ['a simulator using the vendor', 'src/simulator/a.ts', "import t from 'twilio';", /by themselves/],
    ['an unknown folder', 'src/utils/a.ts', "import { m } from '../errors.ts';", /does not know/],
    [
      'the composition knowing the bench',
      'src/compose.ts',
      "import { b } from './bench/bench.ts';",
      /only cli knows the bench/,
    ],
    ['src importing a test', 'src/mcp/a.ts', "import { m } from '../../test/fixtures/a.ts';", /outside src/],
    ['express outside http', 'src/mcp/a.ts', "import express from 'express';", /belongs to src\/http/],
    [
      'prom-client outside http',
      'src/switchboard/a.ts',
      "import { Counter } from 'prom-client';",
      /belongs to src\/http/,
    ],
    ['twilio outside its carrier', 'src/switchboard/a.ts', "import twilio from 'twilio';", /belongs to/],
    ['sqlite outside its store', 'src/store/a.ts', "import { DatabaseSync } from 'node:sqlite';", /belongs to/],
    [
      'the MCP SDK outside mcp',
      'src/cli/a.ts',
      "import { S } from '@modelcontextprotocol/sdk/server/mcp.js';",
      /belongs to/,
    ],
    ['a dynamic import', 'src/cli/a.ts', "const e = await import('express');", /belongs to/],
    [
      'an import over several lines',
      'src/call/a.ts',
      "import {\n  x,\n  y,\n} from '../store/store.ts';",
      /call may not import store/,
    ],
    [
      'an export from elsewhere',
      'src/call/a.ts',
      "export { x } from '../store/store.ts';",
      /call may not import store/,
    ],
    ['the environment', 'src/mcp/a.ts', 'const home = process.env.HOME;', /process\.env/],
    ['the environment in brackets', 'src/mcp/a.ts', "const home = process['env'].HOME;", /process\.env/],
    ['stdout', 'src/switchboard/a.ts', "console.log('x');", /stdout/],
    ['a default export', 'src/mcp/a.ts', 'export default function x() {}', /default export/],
    ['any', 'src/mcp/a.ts', 'export const x = (y: any) => y;', /says any/],
    ['an array of any', 'src/mcp/a.ts', 'export const x: Array<any> = [];', /says any/],
    ['a barrel', 'src/mcp/a.ts', "export * from './b.ts';", /barrel/],
    ['a long file', 'src/mcp/a.ts', '\n'.repeat(401), /401 lines/],
  ];

  it.each(planted)('finds %s', (_, path, text, fault) => {
    const found = violations([{ path, text }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(fault);
  });

  it('finds a fifth file that imports the MCP SDK', () => {
    const text = "import { S } from '@modelcontextprotocol/sdk/server/mcp.js';";
    const files = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ path: `src/mcp/${name}.ts`, text }));
    expect(violations(files.slice(1))).toEqual([]);
    expect(violations(files)).toEqual([expect.stringContaining('more than 4')]);
  });

  it.each([
    [
      'what is allowed',
      'src/switchboard/a.ts',
      "import type { M } from '../models/model.ts';\nimport { E } from '../errors.ts';",
    ],
    [
      "a family's own port",
      'src/models/openai/a.ts',
      "import type { M } from '../model.ts';\nimport { x } from './b.ts';",
    ],
    ['what carriers share', 'src/carriers/twilio/a.ts', "import { x } from '../with-line.ts';"],
    ['compose naming an adapter', 'src/compose.ts', "import { m } from './models/openai/model.ts';"],
    [
      'a forbidden word in a comment',
      'src/mcp/a.ts',
      "// import { x } from '../http/server.ts'; process.env console.log any\n/* : any */",
    ],
    ['a forbidden word in a sentence', 'src/mcp/a.ts', "export const help = 'never console.log: any default';"],
    ['a long file with a reason', 'src/mcp/a.ts', `// Long because: one table.\n${'\n'.repeat(500)}`],
  ])('lets %s pass', (_, path, text) => {
    expect(violations([{ path, text }])).toEqual([]);
  });
});
