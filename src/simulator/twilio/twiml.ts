import { parseXml, type XmlElement, XmlError } from './xml.ts';

/** The TwiML that this account understands (Twilio, "TwiML for Programmable Voice"). */
export type Verb =
  | { readonly verb: 'Say'; readonly text: string; readonly language: string | null; readonly voice: string | null }
  | { readonly verb: 'Pause'; readonly durationMs: number }
  | { readonly verb: 'Hangup' }
  | { readonly verb: 'Redirect'; readonly url: string; readonly method: 'GET' | 'POST' }
  | {
      readonly verb: 'Connect';
      readonly action: string | null;
      readonly method: 'GET' | 'POST';
      readonly stream: StreamNoun;
    };

export interface StreamNoun {
  /** As written in the TwiML. */
  readonly url: string;
  readonly name: string | null;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: 'GET' | 'POST';
  readonly parameters: Readonly<Record<string, string>>;
}

/** `code` is Twilio's: 12100 not well-formed, 12200 not TwiML, 21240-like limits are reported as 12200 too. */
export class TwimlError extends Error {
  override readonly name = 'TwimlError';
  readonly code: number;
  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  Response: [],
  Say: ['voice', 'language', 'loop'],
  Pause: ['length'],
  Hangup: [],
  Redirect: ['method'],
  Connect: ['action', 'method'],
  Stream: ['url', 'name', 'track', 'statusCallback', 'statusCallbackMethod', 'connectorName'],
  Parameter: ['name', 'value'],
};
/** Twilio limits name and value of a `<Parameter>` together. */
const MAX_PARAMETER_CHARS = 500;

/** The verbs of a document in order; throws a TwimlError. */
export function parseTwiml(text: string): readonly Verb[] {
  let root: XmlElement;
  try {
    root = parseXml(text);
  } catch (error) {
    if (error instanceof XmlError) throw new TwimlError(12100, `Document parse failure: ${error.message}`, error);
    throw error;
  }
  if (root.name !== 'Response') throw new TwimlError(12100, `Document parse failure: the root is <${root.name}>`);
  check(root);
  return elementsOf(root).map(verbOf);
}

function verbOf(element: XmlElement): Verb {
  check(element);
  const { attributes } = element;
  switch (element.name) {
    case 'Say':
      return {
        verb: 'Say',
        text: textOf(element),
        language: attributes.language ?? null,
        voice: attributes.voice ?? null,
      };
    case 'Pause':
      return { verb: 'Pause', durationMs: Number(attributes.length ?? '1') * 1_000 };
    case 'Hangup':
      return { verb: 'Hangup' };
    case 'Redirect':
      return { verb: 'Redirect', url: textOf(element), method: methodOf(attributes.method) };
    case 'Connect':
      return connectOf(element);
    default:
      throw new TwimlError(12200, `Schema validation: <${element.name}> is not a verb of this account`);
  }
}

function connectOf(element: XmlElement): Verb {
  const nouns = elementsOf(element);
  const [stream] = nouns;
  if (stream === undefined || nouns.length !== 1 || stream.name !== 'Stream') {
    throw new TwimlError(12200, 'Schema validation: <Connect> needs exactly one <Stream>');
  }
  check(stream);
  const { url, name, track, statusCallback, statusCallbackMethod } = stream.attributes;
  if (url === undefined) throw new TwimlError(12200, 'Schema validation: <Stream> has no url');
  if (track !== undefined && track !== 'inbound_track') {
    throw new TwimlError(31941, `Invalid track: ${track} is not possible within <Connect>`);
  }
  const parameters: Record<string, string> = {};
  for (const child of elementsOf(stream)) {
    if (child.name !== 'Parameter') throw new TwimlError(12200, `Schema validation: <${child.name}> in <Stream>`);
    check(child);
    const key = child.attributes.name ?? '';
    const value = child.attributes.value ?? '';
    if (key === '' || key.length + value.length >= MAX_PARAMETER_CHARS) {
      throw new TwimlError(12200, 'Schema validation: a <Parameter> without a name, or too long');
    }
    parameters[key] = value;
  }
  return {
    verb: 'Connect',
    action: element.attributes.action ?? null,
    method: methodOf(element.attributes.method),
    stream: {
      url,
      name: name ?? null,
      statusCallback: statusCallback ?? null,
      statusCallbackMethod: methodOf(statusCallbackMethod),
      parameters,
    },
  };
}

function methodOf(method: string | undefined): 'GET' | 'POST' {
  if (method === undefined || method === 'POST' || method === 'GET') return method ?? 'POST';
  throw new TwimlError(12200, `Schema validation: the method ${method}`);
}

function check(element: XmlElement): void {
  const allowed = ATTRIBUTES[element.name];
  const wrong = Object.keys(element.attributes).find((name) => allowed !== undefined && !allowed.includes(name));
  if (wrong !== undefined) throw new TwimlError(12200, `Schema validation: ${wrong} on <${element.name}>`);
}

function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => {
    if (typeof child !== 'string') return true;
    if (child.trim() !== '') throw new TwimlError(12200, `Schema validation: text in <${element.name}>`);
    return false;
  }) as XmlElement[];
}

/** `<Say>` may hold speech markup; its words count. */
function textOf(element: XmlElement): string {
  return element.children
    .map((child) => (typeof child === 'string' ? child : textOf(child)))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}
