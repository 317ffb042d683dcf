/** A small strict reader of XML: enough for TwiML, and it refuses whatever is not well-formed. No document types, no namespaces. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const NAME = /[A-Za-z_:][\w:.-]*/y;
const SPACE = /\s*/y;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The root element; throws an XmlError that says where the text is not well-formed. */
export function parseXml(text: string): XmlElement {
  const reader = new Reader(text.startsWith('\uFEFF') ? text.slice(1) : text);
  reader.declaration();
  reader.misc();
  const root = reader.element();
  reader.misc();
  if (!reader.atEnd) reader.fail('content after the root element');
  return root;
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  fail(what: string): never {
    throw new XmlError(`${what} at character ${this.at}`);
  }

  declaration(): void {
    if (/^<\?xml\s/.test(this.text)) this.at = this.until('?>');
  }

  /** White space, comments and processing instructions around elements. */
  misc(): void {
    for (;;) {
      this.match(SPACE);
      if (this.text.startsWith('<!--', this.at)) this.comment();
      else if (/^<\?(?!xml\s)/i.test(this.text.slice(this.at, this.at + 6))) this.at = this.until('?>');
      else return;
    }
  }

  element(): XmlElement {
    if (this.text[this.at] !== '<') this.fail('an element is expected');
    this.at += 1;
    const name = this.name();
    const attributes = this.attributes();
    if (this.take('/>')) return { name, attributes, children: [] };
    if (!this.take('>')) this.fail(`the tag <${name}> is not closed`);
    const children = this.content(name);
    return { name, attributes, children };
  }

  private content(name: string): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (;;) {
      if (this.atEnd) this.fail(`<${name}> is not ended`);
      if (this.text.startsWith('<!--', this.at)) this.comment();
      else if (this.take('<![CDATA[')) {
        const end = this.until(']]>');
        children.push(this.text.slice(this.at, end - 3));
        this.at = end;
      } else if (this.take('</')) {
        const closing = this.name();
        this.match(SPACE);
        if (closing !== name || !this.take('>')) this.fail(`</${closing}> does not end <${name}>`);
        return children;
      } else if (this.text.startsWith('<?', this.at)) this.at = this.until('?>');
      else if (this.text[this.at] === '<') children.push(this.element());
      else {
        const next = this.text.indexOf('<', this.at);
        const end = next < 0 ? this.text.length : next;
        const raw = this.text.slice(this.at, end);
        if (raw.includes(']]>')) this.fail('"]]>" in text');
        children.push(this.unescape(raw));
        this.at = end;
      }
    }
  }

  private attributes(): Record<string, string> {
    const attributes: Record<string, string> = {};
    for (;;) {
      const spaced = this.match(SPACE) !== '';
      const next = this.text[this.at];
      if (next === undefined || next === '>' || next === '/') return attributes;
      if (!spaced) this.fail('white space is missing before an attribute');
      const name = this.name();
      this.match(SPACE);
      if (!this.take('=')) this.fail(`the attribute ${name} has no value`);
      this.match(SPACE);
      const quote = this.text[this.at];
      if (quote !== '"' && quote !== "'") this.fail(`the value of ${name} is not quoted`);
      this.at += 1;
      const end = this.until(quote);
      const raw = this.text.slice(this.at, end - 1);
      if (raw.includes('<')) this.fail(`"<" in the value of ${name}`);
      if (Object.hasOwn(attributes, name)) this.fail(`the attribute ${name} is given twice`);
      attributes[name] = this.unescape(raw);
      this.at = end;
    }
  }

  private unescape(raw: string): string {
    return raw.replace(/&([^;&\s]{1,10};)?/g, (_, reference: string | undefined) => {
      if (reference === undefined) this.fail('"&" stands alone');
      const body = reference.slice(0, -1);
      const number = /^#(?:(\d+)|x([0-9a-f]+))$/i.exec(body);
      if (number !== null)
        return String.fromCodePoint(number[1] ? Number(number[1]) : Number.parseInt(number[2] ?? '', 16));
      const known = NAMED[body];
      if (known === undefined) this.fail(`the entity &${reference} is unknown`);
      return known;
    });
  }

  private comment(): void {
    this.at = this.until('-->');
  }

  private name(): string {
    const name = this.match(NAME);
    if (name === '') this.fail('a name is expected');
    return name;
  }

  private until(mark: string): number {
    const found = this.text.indexOf(mark, this.at);
    if (found < 0) this.fail(`"${mark}" is missing`);
    return found + mark.length;
  }

  private take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}
