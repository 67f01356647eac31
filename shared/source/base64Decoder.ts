import { MAX_DECODE_STEP_BYTES } from '../limits.ts';

/** Bytes in memory, in order. */
export interface DecodedBytes {
  readonly chunks: readonly Buffer[];
  readonly sizeBytes: number;
}

const WHITE_SPACE = /[ \t\r\n]+/g;
const GROUPS_AND_PADDING = /^[A-Za-z0-9+/]*={0,2}$/;
const FOREIGN = /[^A-Za-z0-9+/= \t\r\n]/;

/**
 * Decodes base64 as it arrives. It takes what Graph's own reader takes (.NET's Convert.FromBase64String): the standard alphabet,
 * white space anywhere, padding at the end. What Buffer.from would pass over in silence is a fault here.
 */
export class Base64Decoder {
  sizeBytes = 0;
  /** What is wrong with the text so far; the first fault stays. */
  fault: string | undefined;
  #chunks: Buffer[] = [];
  /** Text to be decoded at the next step. */
  #pending = '';
  /** The start of a group of four characters, left over from the last step. */
  #rest = '';
  /** Characters of the steps so far, white space included. */
  #seen = 0;
  #isPadded = false;

  /** Text of characters below U+0100. */
  push(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= MAX_DECODE_STEP_BYTES) this.#decode(this.#rest + this.#pending);
  }

  /** The bytes; with a fault, those before it. */
  end(): DecodedBytes {
    this.#decode(this.#rest + this.#pending);
    if (this.fault === undefined) this.#takeUneven(this.#rest.replace(WHITE_SPACE, ''), this.#rest);
    if (this.#rest !== '') this.fault ??= 'ends within a group of four characters of base64; is a part missing?';
    return { chunks: this.#chunks, sizeBytes: this.sizeBytes };
  }

  #decode(text: string): void {
    if (this.fault !== undefined || text === '') return;
    const isPlain = !this.#isPadded && this.#takeGroups(text);
    if (!isPlain) this.#takeUneven(text.replace(WHITE_SPACE, ''), text);
    this.#seen += this.#pending.length;
    this.#pending = '';
  }

  /** Takes text that is of the alphabet alone, which Buffer.from turns into three bytes for each group, skipping nothing. */
  #takeGroups(text: string): boolean {
    const whole = text.length - (text.length % 4);
    const bytes = Buffer.from(text.slice(0, whole), 'base64');
    if (bytes.length * 4 !== whole * 3 || text.includes('-') || text.includes('_')) return false;
    this.#keep(bytes, text.slice(whole));
    return true;
  }

  /** Takes text without white space that may end in padding; after the padding nothing more. */
  #takeUneven(text: string, written: string): void {
    const isOver = this.#isPadded && this.#rest === '';
    if (isOver ? text !== '' : !GROUPS_AND_PADDING.test(text)) {
      this.fault = explain(written, this.#seen - this.#rest.length);
      return;
    }
    this.#isPadded ||= text.includes('=');
    const whole = text.length - (text.length % 4);
    this.#keep(Buffer.from(text.slice(0, whole), 'base64'), text.slice(whole));
  }

  #keep(bytes: Buffer, rest: string): void {
    this.#rest = rest;
    this.sizeBytes += bytes.length;
    if (bytes.length > 0) this.#chunks.push(bytes);
  }
}

function explain(text: string, seen: number): string {
  if (seen === 0 && /^data:/i.test(text)) return 'is a data URL; send what stands after its comma alone';
  const foreign = text.search(FOREIGN);
  if (foreign === -1) return `holds more after its padding (at character ${seen + text.indexOf('=')})`;
  const isUrlSafe = text[foreign] === '-' || text[foreign] === '_';
  return `is not base64${isUrlSafe ? ' but base64url, which Graph does not take' : ''} (at character ${seen + foreign})`;
}
