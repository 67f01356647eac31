import { MAX_REQUEST_BODY_BYTES } from '../common/limits.ts';
import { type DetailCode, type ErrorDetail, ServiceError } from '../errors.ts';
import { invalidAttachment } from '../json/validateShape.ts';
import { Base64Decoder } from './base64Decoder.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** No name that matters is longer, its characters escaped included. */
const MAX_KEY_BYTES = 128;

/** RFC 8259, section 7; what is no escape becomes a character that base64 does not have. */
const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/**
 * Takes the file out of a body of JSON while the body arrives: the text at `contentBytes`, or at `$content` within it, goes to a
 * decoder; all else, with an empty text in its place, is kept, small enough for JSON.parse, which is the judge of the syntax.
 * So what is looked for here is strings, and the names of the members around them.
 *
 * @throws ServiceError from push: RequestBodyTooLarge for what is not the file; InvalidAttachment for a file that is not base64 text
 */
export class FileSplitter {
  readonly content = new Base64Decoder();
  /** How many texts stood where the file is; those after the first are dropped. */
  contents = 0;
  /** Length of the first one as it was written. */
  contentLength = 0;
  /** Where its empty place is in the JSON that is kept. */
  contentOffset = 0;
  #kept = Buffer.allocUnsafe(MAX_REQUEST_BODY_BYTES + 1);
  #length = 0;
  #depth = 0;
  /** The last byte outside strings that was no white space. */
  #last = 0;
  #state: 'outside' | 'string' | 'content' = 'outside';
  #stringStart = 0;
  /** Names of the last members at the first and the second depth, in lower case. */
  #outerName = '';
  #innerName = '';
  /** An escape that the chunk's end may have cut, from its backslash on. */
  #escape = '';

  readonly #member: string;

  /** @param member has the file: Graph's `contentBytes` (or `$content` within it), or `$content` of a body that is a content object */
  constructor(member: 'contentBytes' | '$content' = 'contentBytes') {
    this.#member = member.toLowerCase();
  }

  /** Where in the body a character of `json` is: the file was taken out before it. */
  positionInBody(position: number): number {
    const before = this.json.toString('utf8', 0, this.contentOffset).length;
    return position < before ? position : position + this.contentLength;
  }

  /** The body without its file. */
  get json(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  push(chunk: Buffer): void {
    let index = 0;
    while (index < chunk.length) {
      index = this.#state === 'content' ? this.#takeContent(chunk, index) : this.#keep(chunk, index);
    }
  }

  /** Keeps bytes up to the file's opening quote, and gives the index after it. */
  #keep(chunk: Buffer, start: number): number {
    for (let index = start; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      if (this.#length >= MAX_REQUEST_BODY_BYTES) throw this.#overflow();
      this.#kept[this.#length] = byte;
      this.#length += 1;
      if (this.#state === 'string') this.#lookInString(byte);
      else if (byte === QUOTE) {
        if (this.#isFile()) return this.#openContent(index + 1);
        this.#state = 'string';
        this.#stringStart = this.#length - 1;
      } else this.#lookOutside(byte);
    }
    return chunk.length;
  }

  #lookInString(byte: number): void {
    if (this.#escape !== '') this.#escape = '';
    else if (byte === BACKSLASH) this.#escape = '\\';
    else if (byte === QUOTE) this.#state = 'outside';
  }

  #lookOutside(byte: number): void {
    if (byte <= 0x20) return;
    if (byte === 0x7b || byte === 0x5b)
      this.#depth += 1; // { [
    else if (byte === 0x7d || byte === 0x5d)
      this.#depth -= 1; // } ]
    else if (byte === COLON && this.#depth === 1) this.#outerName = this.#lastName();
    else if (byte === COLON && this.#depth === 2) this.#innerName = this.#lastName();
    this.#last = byte;
  }

  /** The string before a colon. Of its escapes only those of letters matter. */
  #lastName(): string {
    const written = this.#kept.subarray(this.#stringStart, this.#length - 1);
    if (written.length > MAX_KEY_BYTES) return '';
    const plain = written.toString().replace(/\\u[0-9a-f]{4}/gi, characterOf);
    return plain.trimEnd().slice(1, -1).toLowerCase();
  }

  #isFile(): boolean {
    if (this.#last !== COLON || this.#outerName !== this.#member) return false;
    if (this.#depth === 1) return true;
    return this.#depth === 2 && this.#member === 'contentbytes' && this.#innerName === '$content';
  }

  /** A list of numbers, or base64 under another name, is as long as the file itself. */
  #overflow(): ServiceError {
    if (this.#depth > 1 && this.#outerName === 'contentbytes')
      return invalidContent(contentDetail('WrongType', NOT_BASE64_TEXT));
    this.content.end();
    if (this.content.isObjectInQuotes) return this.contentError();
    return tooLarge();
  }

  /** What is wrong with the text, where that is known to be at fault. */
  contentError(): ServiceError {
    return invalidContent(contentDetail('ValueNotAllowed', `'contentBytes' ${this.content.fault}.`));
  }

  #openContent(index: number): number {
    this.#state = 'content';
    this.contents += 1;
    if (this.contents === 1) this.contentOffset = this.#length;
    return index;
  }

  /** Hands on the file's text up to its closing quote, and gives the index after it. */
  #takeContent(chunk: Buffer, start: number): number {
    let index = start;
    let quote = chunk.indexOf(QUOTE, index);
    while (index < chunk.length) {
      if (this.#escape !== '') {
        index = this.#takeEscape(chunk, index);
        if (quote !== -1 && quote < index) quote = chunk.indexOf(QUOTE, index);
        continue;
      }
      const end = quote === -1 ? chunk.length : quote;
      const backslash = chunk.subarray(index, end).indexOf(BACKSLASH);
      const stop = backslash === -1 ? end : index + backslash;
      if (stop > index) this.#give(chunk.toString('latin1', index, stop), stop - index);
      if (stop === quote) return this.#closeContent(quote + 1);
      index = stop + 1;
      if (stop < chunk.length) this.#escape = '\\';
    }
    return index;
  }

  #takeEscape(chunk: Buffer, start: number): number {
    let index = start;
    while (index < chunk.length && !isWhole(this.#escape)) {
      this.#escape += String.fromCharCode(chunk[index] ?? 0);
      index += 1;
    }
    if (isWhole(this.#escape)) {
      this.#give(characterOf(this.#escape), this.#escape.length);
      this.#escape = '';
    }
    return index;
  }

  #give(text: string, writtenLength: number): void {
    if (this.contents > 1) return;
    this.contentLength += writtenLength;
    this.content.push(text);
  }

  #closeContent(index: number): number {
    this.#kept[this.#length] = QUOTE;
    this.#length += 1;
    this.#state = 'outside';
    this.#last = QUOTE;
    return index;
  }
}

function isWhole(written: string): boolean {
  return written.length === (written[1] === 'u' ? 6 : 2);
}

function characterOf(written: string): string {
  const hex = /^\\u([0-9a-f]{4})$/i.exec(written)?.[1];
  if (hex === undefined) return ESCAPES.get(written.slice(1)) ?? '\0';
  const code = Number.parseInt(hex, 16);
  return code < 0x80 ? String.fromCharCode(code) : '\0';
}

export const NOT_BASE64_TEXT =
  "'contentBytes' must be text in base64, or a content object with '$content'; not a list of numbers and no other object. In JavaScript, send buffer.toString('base64'); in a workflow, write base64(…).";

export function contentDetail(code: DetailCode, message: string): ErrorDetail {
  return { code, message, target: '/contentBytes' };
}

function invalidContent(detail: ErrorDetail): ServiceError {
  return invalidAttachment('The body does not describe a file to attach', [detail]);
}

function tooLarge(): ServiceError {
  const message = `The members other than contentBytes have more than ${MAX_REQUEST_BODY_BYTES} bytes. Send the file in contentBytes, or as the body itself with ?name=.`;
  return new ServiceError('RequestBodyTooLarge', message);
}
