/**
 * One run of G.711 µ-law, 8 kHz, mono: 8 bytes a millisecond, silence is 0xFF. Held in the form in which it came (bytes or
 * base64) and converted only when somebody asks for the other, so that Twilio → OpenAI stays a splice of base64 text.
 */
export class Audio {
  readonly byteLength: number;
  private bytesForm: Uint8Array | undefined;
  private base64Form: string | undefined;

  private constructor(byteLength: number, bytes: Uint8Array | undefined, base64: string | undefined) {
    this.byteLength = byteLength;
    this.bytesForm = bytes;
    this.base64Form = base64;
  }

  static fromBytes(bytes: Uint8Array): Audio {
    return new Audio(bytes.byteLength, bytes, undefined);
  }

  /** `text` must be plain padded base64 without white space; its length gives the size, nothing is decoded. */
  static fromBase64(text: string): Audio {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    return new Audio((text.length / 4) * 3 - padding, undefined, text);
  }

  bytes(): Uint8Array {
    this.bytesForm ??= Buffer.from(this.base64Form ?? '', 'base64');
    return this.bytesForm;
  }

  base64(): string {
    if (this.base64Form === undefined) {
      const bytes = this.bytesForm ?? new Uint8Array();
      this.base64Form = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    }
    return this.base64Form;
  }
}
