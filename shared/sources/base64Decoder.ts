import { MAX_DECODE_STEP_BYTES } from '../common/limits.ts';

/** Bytes in memory, in order. */
export interface DecodedBytes {
  readonly chunks: readonly Buffer[];
  readonly sizeBytes: number;
}

const WHITE_SPACE = /[ \t\r\n]+/g;
const GROUPS_AND_PADDING = /^[A-Za-z0-9+/]*={0,2}$/;
const FOREIGN = /[^A-Za-z0-9+/= \t\r\n]/;

const WANTED = "Send the file's bytes in base64; in a workflow, write base64(…)";

const OBJECT_IN_QUOTES =
  'is a JSON object inside quotes. Send the content object ($content-type, $content) without the quotes, or write base64(…)';

/** How languages write bytes as text where base64 is wanted: the start of the text, and what to say of it. */
const KNOWN_MISTAKES: readonly (readonly [start: RegExp, fault: string])[] = [
  [/^data:/i, 'is a data URL. Send only what follows its comma'],
  [/^\{/, OBJECT_IN_QUOTES],
  [/^b['"]/, "is Python's text for bytes (b'…'). Send base64.b64encode(data).decode()"],
  [/^System\.Byte\[\]/, 'is the name of a .NET type. Send [Convert]::ToBase64String(bytes)'],
  [/^\[object /, 'is the name of a JavaScript type. Send buffer.toString("base64")'],
];

/**
 * Decodes base64 as it arrives. It takes what Graph's own reader takes (.NET's Convert.FromBase64String): the standard alphabet,
 * white space anywhere, padding at the end. What Buffer.from would pass over in silence is a fault here.
 */
export class Base64Decoder {
  sizeBytes = 0;
  /** What is wrong with the text so far, and what to send; the first fault stays. */
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
    if (this.#rest !== '') {
      this.fault ??= `is cut off, or is not base64: its length is not a multiple of 4 characters. ${WANTED}`;
    }
    return { chunks: this.#chunks, sizeBytes: this.sizeBytes };
  }

  /** Whether the text is a JSON object, quotes around it. Known after `end`. */
  get isObjectInQuotes(): boolean {
    return this.fault === OBJECT_IN_QUOTES;
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
  const known = seen === 0 ? KNOWN_MISTAKES.find(([start]) => start.test(text.trimStart())) : undefined;
  if (known !== undefined) return known[1];
  const foreign = text.search(FOREIGN);
  if (foreign === -1) {
    return `has more characters after its padding (at character ${seen + text.indexOf('=')}). Send one base64 text`;
  }
  const at = `(at character ${seen + foreign})`;
  if (text[foreign] !== '-' && text[foreign] !== '_') return `is not base64 ${at}. ${WANTED}`;
  return `is base64url, which Graph does not take ${at}. Write + for -, and / for _`;
}
