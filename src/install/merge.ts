import {
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { UserInputError } from '../errors.ts';
import type { Input } from './clients.ts';

export interface Change {
  readonly key: 'mcpServers' | 'servers';
  readonly name: string;
  /** Null takes the entry out. */
  readonly entry: Readonly<Record<string, unknown>> | null;
  readonly inputs: readonly Input[];
  /** What an entry of ours holds, besides the name of the product: how this program is started. */
  readonly program: string;
  /** Replaces an entry of this name that is none of ours. */
  readonly force: boolean;
}

const BOM = '\uFEFF';

/**
 * The client's file with the one entry changed; comments, order, spaces and everything of others stay as they are. The same text when
 * there is nothing to change. `text` may be empty, as of a file that does not exist.
 * @throws UserInputError when the file cannot be understood, or the name belongs to another server
 */
export function mergeEntry(text: string, change: Change): string {
  const bom = text.startsWith(BOM) ? BOM : '';
  const style = styleOf(text);
  let body = text.trim() === bom ? `{}${style.eol}` : text.slice(bom.length);
  const { key, name, entry, inputs } = change;
  const present = readEntry(body, change);
  if (entry === null) {
    if (present === undefined) return text;
    return bom + applyEdits(body, modify(body, [key, name], undefined, {}));
  }
  const wanted = merged(present, entry);
  if (!isSame(present, wanted)) body = put(body, [key, name], wanted, style);
  for (const input of inputs) body = addInput(body, input, style);
  return body === text.slice(bom.length) ? text : bom + body;
}

/** The entry of that name; undefined when there is none. */
function readEntry(body: string, { key, name, entry, program, force }: Change): Record<string, unknown> | undefined {
  const errors: ParseError[] = [];
  const tree = parseTree(body, errors, { allowTrailingComma: true });
  const error = errors[0];
  if (error !== undefined || tree === undefined) {
    const line = body.slice(0, error?.offset ?? 0).split('\n').length;
    const what = error === undefined ? 'nothing can be read' : printParseErrorCode(error.error);
    throw new UserInputError(`is not valid JSON (line ${line}: ${what}); nothing was changed. Repair it first`);
  }
  const servers = tree.type === 'object' ? findNodeAtLocation(tree, [key]) : null;
  if (servers === null || (servers !== undefined && servers.type !== 'object'))
    throw new UserInputError(`does not have the form of this client (${key} is to be an object); nothing was changed`);
  const node = findNodeAtLocation(tree, [key, name]);
  if (node === undefined) return undefined;
  const value: unknown = getNodeValue(node);
  const words = JSON.stringify(value);
  const isOurs = words.toLowerCase().includes('switchboard') || words.includes(JSON.stringify(program));
  if (!isOurs && !force)
    throw new UserInputError(
      `has another server under the name ${name}; nothing was changed. Choose another --name, or ${entry === null ? 'take it out yourself' : 'replace it with --force'}`,
    );
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What the user has added to an entry of ours stays: variables, and switches of the client. */
function merged(
  present: Record<string, unknown> | undefined,
  entry: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (present === undefined) return { ...entry };
  const OURS = ['type', 'transport', 'command', 'args', 'env', 'url', 'httpUrl', 'headers'];
  const others = Object.fromEntries(Object.entries(present).filter(([name]) => !OURS.includes(name)));
  const added = (name: 'env' | 'headers') => {
    const values = { ...(entry[name] as object | undefined), ...(present[name] as object | undefined) };
    const belongs = name === 'env' ? 'command' in entry : !('command' in entry);
    return belongs && Object.keys(values).length > 0 ? { [name]: values } : {};
  };
  return { ...entry, ...added('env'), ...added('headers'), ...others };
}

function addInput(body: string, { id, description, secret }: Input, style: Style): string {
  const list = findNodeAtLocation(treeOf(body), ['inputs']);
  const known: unknown = list ? getNodeValue(list) : [];
  if (Array.isArray(known) && known.some((one: { id?: unknown }) => one?.id === id)) return body;
  const input = { type: 'promptString', id, description, ...(secret ? { password: true } : {}) };
  return list ? insert(body, list, pretty(input, style, 2), style, 2) : put(body, ['inputs'], [input], style);
}

/** Puts the value at a path of keys. Written here, since the library's own way lays out what stands around it anew. */
function put(
  body: string,
  [key = '', ...rest]: readonly string[],
  value: unknown,
  style: Style,
  depth = 1,
  at?: Node,
): string {
  const object = at ?? treeOf(body);
  const child = findNodeAtLocation(object, [key]);
  if (child && rest.length > 0) return put(body, rest, value, style, depth + 1, child);
  const whole = rest.toReversed().reduce((inner, name) => ({ [name]: inner }), value);
  const text = pretty(whole, style, depth);
  if (child) return splice(body, child.offset, child.length, text);
  return insert(body, object, `${JSON.stringify(key)}: ${text}`, style, depth);
}

/** After the last member of an object or a list; a comma that stands there already serves the new one. */
function insert(body: string, parent: Node, text: string, { unit, eol }: Style, depth: number): string {
  const line = `${eol}${unit.repeat(depth)}${text}`;
  const last = parent.children?.at(-1);
  if (last) return splice(body, last.offset + last.length, 0, `,${line}`);
  return splice(body, parent.offset + 1, 0, `${line}${eol}${unit.repeat(depth - 1)}`);
}

function splice(body: string, offset: number, length: number, text: string): string {
  return body.slice(0, offset) + text + body.slice(offset + length);
}

function pretty(value: unknown, { unit, eol }: Style, depth: number): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', eol + unit.repeat(depth));
}

/** Of a text that has been looked at before. */
function treeOf(body: string): Node {
  const tree = parseTree(body, [], { allowTrailingComma: true });
  if (tree === undefined) throw new UserInputError('is not valid JSON');
  return tree;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

interface Style {
  readonly unit: string;
  readonly eol: string;
}

/** As the file is indented already. */
function styleOf(text: string): Style {
  return { unit: /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ', eol: text.includes('\r\n') ? '\r\n' : '\n' };
}
