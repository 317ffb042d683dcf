/**
 * One run of G.711 µ-law, 8 kHz, mono: 8 bytes a millisecond, silence is 0xFF. Held in the form in which it came (bytes, base64,
 * or base64 in ASCII where it stands in a message) and converted only when somebody asks for another, so that Twilio → OpenAI
 * stays a copy of some hundred bytes.
 */
export class Audio {
  readonly byteLength: number;
  private readonly message: Buffer | undefined;
  private readonly from: number;
  private readonly to: number;
  private bytesForm: Uint8Array | undefined;
  private base64Form: string | undefined;

  private constructor(byteLength: number, bytes?: Uint8Array, base64?: string, message?: Buffer, from = 0, to = 0) {
    this.byteLength = byteLength;
    this.message = message;
    this.from = from;
    this.to = to;
    this.bytesForm = bytes;
    this.base64Form = base64;
  }

  static fromBytes(bytes: Uint8Array): Audio {
    return new Audio(bytes.byteLength, bytes);
  }

  /** `text` must be plain padded base64 without white space; its length gives the size, nothing is decoded. */
  static fromBase64(text: string): Audio {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    return new Audio((text.length / 4) * 3 - padding, undefined, text);
  }

  /** The same in ASCII, from `from` to before `to` of a message. Who gives it does not change it any more. */
  static fromWire(message: Buffer, from = 0, to = message.length): Audio {
    const padding = message[to - 1] !== PAD ? 0 : message[to - 2] === PAD ? 2 : 1;
    return new Audio(((to - from) / 4) * 3 - padding, undefined, undefined, message, from, to);
  }

  bytes(): Uint8Array {
    this.bytesForm ??= Buffer.from(this.base64(), 'base64');
    return this.bytesForm;
  }

  base64(): string {
    if (this.base64Form === undefined) {
      const bytes = this.bytesForm ?? new Uint8Array();
      this.base64Form =
        this.message?.toString('latin1', this.from, this.to) ??
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    }
    return this.base64Form;
  }

  /** Characters of base64. */
  get wireLength(): number {
    return Math.ceil(this.byteLength / 3) * 4;
  }

  /** Writes its base64 in ASCII into a message that is being made. */
  copyWire(target: Buffer, at: number): void {
    if (this.message === undefined) target.write(this.base64(), at, 'latin1');
    else this.message.copy(target, at, this.from, this.to);
  }
}

const PAD = 0x3d;
const IN_BASE64 = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
  IN_BASE64[character.charCodeAt(0)] = 1;
}

/** Plain padded base64, and not empty. By a table, because every frame of every call is looked at. */
export function isWireBase64(text: Uint8Array, from = 0, to = text.length): boolean {
  let end = to;
  if (end <= from || (end - from) % 4 !== 0) return false;
  if (text[end - 1] === PAD) end -= text[end - 2] === PAD ? 2 : 1;
  let every = 1;
  for (let at = from; at < end; at += 1) every &= IN_BASE64[text[at] ?? 0] ?? 0;
  return every === 1;
}

/** Whether `part` stands at this position. Without the native call of `compare`, which takes longer than so few bytes. */
export function standsAt(bytes: Uint8Array, from: number, part: Uint8Array): boolean {
  if (from < 0 || from + part.length > bytes.length) return false;
  for (let at = 0; at < part.length; at += 1) if (bytes[from + at] !== part[at]) return false;
  return true;
}

/**
 * A copy in memory of its own, for what is kept as long as a call: a small Buffer is otherwise a slice of Node's pool, and one
 * that stays keeps all 64 kB of it.
 */
export function lasting(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  return copy;
}
