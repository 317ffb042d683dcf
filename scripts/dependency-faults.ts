/** What is wrong with the packages that a project names: unused ones, missing ones, licences that do not go with ours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

interface Manifest {
  readonly name?: string;
  readonly license?: unknown;
  readonly licenses?: unknown;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface Use {
  readonly file: string;
  readonly name: string;
  readonly typeOnly: boolean;
}

/** May be used and passed on with a program under the MIT licence, by keeping their notices. */
const COMPATIBLE: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);
const NOTICES = 'THIRD-PARTY-LICENSES.txt';
const IMPORT =
  /(?:^|[\n;])\s*(?:import|export)\s+(?:(type)\s)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g;
const TEXT_OR_COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** Sentences, each with what to do; empty when all is well. `root` is a project's folder with its packages installed. */
export function dependencyFaults(root: string): readonly string[] {
  const manifest = manifestAt(root);
  if (manifest === null) return [`There is no package.json in ${root}.`];
  if (!existsSync(join(root, 'node_modules'))) return ['The packages are not installed: run npm ci.'];
  const uses = usesIn(root);
  const bundled = bundledBy(root);
  return [
    ...missingFaults(manifest, uses, bundled),
    ...unusedFaults(root, manifest, uses, bundled),
    ...licenceFaults(root, manifest, bundled),
    ...noticeFaults(root, bundled),
  ];
}

function missingFaults(manifest: Manifest, uses: readonly Use[], bundled: readonly string[]): readonly string[] {
  const { dependencies = {}, devDependencies = {} } = manifest;
  const faults = uses.flatMap(({ file, name, typeOnly }) => {
    if (name in dependencies || name === manifest.name) return [];
    if (!(name in devDependencies)) {
      return [`${file} imports ${name}, which package.json does not name: npm install ${name}.`];
    }
    if (!file.startsWith('src/') || typeOnly || bundled.includes(name)) return [];
    return [`${file} imports ${name}, a development package: move it to "dependencies", or bundle it.`];
  });
  return [...new Set(faults)];
}

function unusedFaults(
  root: string,
  manifest: Manifest,
  uses: readonly Use[],
  bundled: readonly string[],
): readonly string[] {
  const inProgram = new Set(uses.filter(({ file, typeOnly }) => file.startsWith('src/') && !typeOnly).map(nameOf));
  const anywhere = new Set(uses.map(nameOf));
  const commands = commandsOf(root, manifest);
  const production = Object.keys(manifest.dependencies ?? {}).flatMap((name) => {
    if (inProgram.has(name)) return [];
    const advice = anywhere.has(name) ? 'move it to "devDependencies"' : `npm uninstall ${name}`;
    return [`Nothing in src runs ${name}, one of the "dependencies": ${advice}.`];
  });
  const development = Object.keys(manifest.devDependencies ?? {}).flatMap((name) => {
    const typed = /^@types\/(.+)$/.exec(name)?.[1]?.replace('__', '/');
    const types = typed !== undefined && (typed === 'node' || anywhere.has(typed.replace(/^(?=.+\/)/, '@')));
    const used = types || anywhere.has(name) || bundled.includes(name) || binsOf(root, name).some(namedIn(commands));
    return used ? [] : [`Nothing uses ${name}, one of the "devDependencies": npm uninstall ${name}.`];
  });
  return [...production, ...development];
}

function nameOf({ name }: Use): string {
  return name;
}

/** What the shell runs: scripts of package.json, of the scripts folder, of the machine that tests each change; and what tests start by its path. */
function commandsOf(root: string, manifest: Manifest): string {
  const files = ['scripts', '.ci'].flatMap((folder) => filesIn(root, folder).filter((file) => !file.endsWith('.ts')));
  const texts = files.map((file) => readFileSync(join(root, file), 'utf8'));
  const tests = filesIn(root, 'test').filter((file) => file.endsWith('.test.ts'));
  const started = tests.flatMap((file) => [
    ...readFileSync(join(root, file), 'utf8').matchAll(/node_modules\/\.bin\/([\w-]+)/g),
  ]);
  return [...Object.values(manifest.scripts ?? {}), ...texts, ...started.map(([, bin]) => bin)].join('\n');
}

function namedIn(commands: string): (bin: string) => boolean {
  return (bin) => new RegExp(`(^|[\\s/;&|])${bin.replace(/[^\w-]/g, '\\$&')}(?=$|[\\s;&|])`, 'm').test(commands);
}

function binsOf(root: string, name: string): readonly string[] {
  const { bin } = manifestAt(join(root, 'node_modules', name)) ?? {};
  if (bin === undefined) return [];
  return typeof bin === 'string' ? [name.split('/').at(-1) ?? name] : Object.keys(bin);
}

/** Of everything that is installed with the program, and of what is bundled into it. */
function licenceFaults(root: string, manifest: Manifest, bundled: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string, from: string, needed: boolean): void => {
    const folder = folderOf(root, from, name);
    if (folder === null) {
      if (needed) faults.push(`${name} is not installed: run npm ci.`);
      return;
    }
    if (seen.has(folder)) return;
    seen.add(folder);
    const found = manifestAt(folder);
    const licence = licenceOf(found);
    const where = folder.slice(root.length + 1);
    if (licence === null) faults.push(`${where} names no licence: look at its files, and replace it if there is none.`);
    else if (!isCompatible(licence))
      faults.push(`${where} is under ${licence}, which does not go with MIT: replace the package.`);
    for (const child of Object.keys(found?.dependencies ?? {})) visit(child, folder, true);
    for (const child of Object.keys({ ...found?.optionalDependencies, ...found?.peerDependencies }))
      visit(child, folder, false);
  };
  for (const name of [...Object.keys(manifest.dependencies ?? {}), ...bundled]) visit(name, root, true);
  return faults;
}

/** As Node looks for it: in the nearest node_modules upwards. */
function folderOf(root: string, from: string, name: string): string | null {
  for (let at = from; at.startsWith(root); at = join(at, '..')) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (at === root) break;
  }
  return null;
}

function licenceOf(manifest: Manifest | null): string | null {
  const stated = manifest?.license ?? manifest?.licenses;
  const all = (Array.isArray(stated) ? stated : [stated]).map((one: unknown) =>
    typeof one === 'object' && one !== null && 'type' in one ? String(one.type) : one,
  );
  const names = all.filter((one): one is string => typeof one === 'string' && one !== '');
  return names.length === 0 ? null : names.join(' OR ');
}

/** An SPDX expression, as far as packages use it: one of an OR must be compatible, all of an AND. */
function isCompatible(expression: string): boolean {
  const bare = unwrapped(expression.trim());
  if (COMPATIBLE.has(bare)) return true;
  const either = outside(bare, ' OR ');
  if (either.length > 1) return either.some(isCompatible);
  const both = outside(bare, ' AND ');
  return both.length > 1 && both.every(isCompatible);
}

/** Without the parentheses around all of it. */
function unwrapped(expression: string): string {
  let open = 0;
  for (const [at, character] of [...expression].entries()) {
    open += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (open === 0) return at > 0 && at === expression.length - 1 ? expression.slice(1, -1) : expression;
  }
  return expression;
}

/** Splits where no parenthesis is open. */
function outside(expression: string, separator: string): readonly string[] {
  const parts: string[] = [];
  for (const piece of expression.split(separator)) {
    const last = parts.at(-1);
    if (last !== undefined && last.split('(').length !== last.split(')').length)
      parts[parts.length - 1] = `${last}${separator}${piece}`;
    else parts.push(piece);
  }
  return parts;
}

function noticeFaults(root: string, bundled: readonly string[]): readonly string[] {
  const file = join(root, NOTICES);
  const notices = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return bundled.flatMap((name) => {
    const folder = join(root, 'node_modules', name);
    const licence = existsSync(folder)
      ? readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
      : undefined;
    if (licence === undefined)
      return [`${name} is bundled and comes without a licence file: write its licence into ${NOTICES}.`];
    const text = readFileSync(join(folder, licence), 'utf8').trim();
    return notices.includes(text) ? [] : [`${name} is bundled: copy its ${licence}, word for word, into ${NOTICES}.`];
  });
}

/** Packages that tsup takes into the bundle, so that they are not installed with it. */
function bundledBy(root: string): readonly string[] {
  const file = join(root, 'tsup.config.ts');
  const list = existsSync(file) ? /\bnoExternal:\s*\[([^\]]*)\]/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return [...(list ?? '').matchAll(/['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '');
}

function usesIn(root: string): readonly Use[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.config.ts'));
  const files = [...['src', 'test', 'scripts'].flatMap((folder) => filesIn(root, folder)), ...top];
  return files
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

function importsOf(file: string, text: string): readonly Use[] {
  const code = text.replace(TEXT_OR_COMMENT, (found) => {
    if (found.startsWith('/')) return '';
    // What stands in a template is text: the tests of other tools hold whole programs there.
    return found.startsWith('`') || /\b(import|export)\b/.test(found) ? "''" : found;
  });
  return [...code.matchAll(IMPORT)].flatMap((match) => {
    const target = match[2] ?? match[3] ?? match[4] ?? match[5] ?? '';
    const name = /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? '';
    if (name === '' || /^[./]|^(node|data|file):/.test(target) || builtinModules.includes(name)) return [];
    return [{ file, name, typeOnly: match[1] === 'type' }];
  });
}

function filesIn(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function manifestAt(folder: string): Manifest | null {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : null;
}
