import { MAX_DETAILS } from '../common/limits.ts';
import { type ErrorDetail, ServiceError } from '../errors.ts';
import { escapePointer } from '../json/explainError.ts';
import { parseJson } from '../json/parseJson.ts';
import { Base64Decoder, type DecodedBytes } from '../sources/base64Decoder.ts';

/** Of the text beside the files, so that the draft's request stays below Graph's 4 MB (learn.microsoft.com/graph/use-the-api). */
export const MAX_MESSAGE_TEXT_BYTES = 3_000_000;

/** Of one message: limits of Exchange Online (learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits). */
export const MAX_ATTACHMENTS = 250;

/** Bodies of mail clients are eight levels deep; JSON.stringify of a few thousand would overflow the stack. */
const MAX_DEPTH = 64;

const FIRST_KEPT_BYTES = 65_536;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Of a member's name in an error: details must stay small if names are long. */
const MAX_SHOWN_LENGTH = 64;

type Container =
  /** `name` is the current member's, for comparison; `written` is for people. */
  | { readonly kind: 'object'; readonly names: Set<string>; name: string; written: string }
  | { readonly kind: 'array'; index: number };

/** The places of a file's base64 text, `*` for an index: with and without the wrapper, and as the content object of Logic Apps. */
const FILE_PLACES = ['message/attachments/*/contentbytes', 'attachments/*/contentbytes'].flatMap((place) => [
  place.split('/'),
  [...place.split('/'), '$content'],
]);

interface ScannedFile {
  readonly decoder: Base64Decoder;
  /** Where its text was taken out of the JSON that is kept. */
  readonly offset: number;
  /** Length of the text as it was written. */
  writtenBytes: number;
  /** Absent until the text has ended. */
  decoded?: DecodedFile;
}

export type DecodedFile = DecodedBytes & {
  /** What is wrong with its base64. */
  readonly fault: string | undefined;
};

export interface ScannedMessage {
  /** The body with an empty text in the place of each file. */
  readonly value: unknown;
  /** Bytes of the JSON without the files. */
  readonly textBytes: number;
  /** The files by their index in `attachments`. */
  readonly files: ReadonlyMap<number, DecodedFile>;
  /** A detail for each member that occurs twice. */
  readonly duplicates: readonly ErrorDetail[];
}

/** A member's name for comparison: Graph ignores letter case, also where only another script has the letter (U+017F, U+212A). */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Scans a message's JSON while it arrives: decodes the files, keeps the rest for JSON.parse, and finds members that occur twice,
 * which JSON.parse hides. Otherwise the policy could check one recipient and Graph read another one.
 *
 * @throws ServiceError from push: RequestBodyTooLarge, InvalidJson (too deep)
 */
export class MessageScanner {
  readonly #files = new Map<number, ScannedFile>();
  readonly #duplicates: ErrorDetail[] = [];
  readonly #stack: Container[] = [];
  #kept = Buffer.allocUnsafe(FIRST_KEPT_BYTES);
  #length = 0;
  #state: 'outside' | 'string' | 'file' = 'outside';
  /** The last byte outside strings that is not white space. */
  #last = 0;
  /** Of the last string; -1 if a colon has followed it. */
  #stringStart = -1;
  #file: ScannedFile | undefined;
  /** An escape that is not complete, from its backslash. */
  #escape = '';
  /** Bytes of the files before the current one. */
  #decodedBytes = 0;

  /** Bytes of all files so far. */
  get decodedBytes(): number {
    return this.#decodedBytes + (this.#file?.decoder.sizeBytes ?? 0);
  }

  push(chunk: Buffer): void {
    let index = 0;
    while (index < chunk.length) {
      index = this.#state === 'file' ? this.#takeFile(chunk, index) : this.#keep(chunk, index);
    }
  }

  /** @throws ServiceError InvalidJson */
  end(): ScannedMessage {
    const json = this.#kept.subarray(0, this.#length);
    const value = parseJson(json, (position) => this.#positionInBody(position));
    const files = new Map([...this.#files].flatMap(([index, { decoded }]) => (decoded ? [[index, decoded]] : [])));
    return { value, textBytes: this.#length, files, duplicates: this.#duplicates };
  }

  /** Keeps bytes up to the opening quote of a file, and returns the index after it. */
  #keep(chunk: Buffer, start: number): number {
    for (let index = start; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      this.#append(byte);
      if (this.#state === 'string') this.#scanString(byte);
      else if (byte === QUOTE) {
        if (this.#isFile()) return this.#openFile(index + 1);
        this.#state = 'string';
        this.#stringStart = this.#length - 1;
      } else if (byte > 0x20) this.#scanOutside(String.fromCharCode(byte), byte);
    }
    return chunk.length;
  }

  #append(byte: number): void {
    if (this.#length >= MAX_MESSAGE_TEXT_BYTES) {
      const message = `The message has more than ${MAX_MESSAGE_TEXT_BYTES} bytes beside contentBytes of its file attachments. Shorten its text, or attach parts of it as files.`;
      throw new ServiceError('RequestBodyTooLarge', message);
    }
    if (this.#length === this.#kept.length) this.#kept = Buffer.concat([this.#kept, Buffer.alloc(this.#length)]);
    this.#kept[this.#length] = byte;
    this.#length += 1;
  }

  #scanString(byte: number): void {
    if (this.#escape !== '') this.#escape = '';
    else if (byte === BACKSLASH) this.#escape = '\\';
    else if (byte === QUOTE) this.#state = 'outside';
  }

  #scanOutside(character: string, byte: number): void {
    const top = this.#stack.at(-1);
    if (character === '{') this.#open({ kind: 'object', names: new Set(), name: '', written: '' });
    else if (character === '[') this.#open({ kind: 'array', index: 0 });
    else if (character === '}' || character === ']') this.#stack.pop();
    else if (character === ',' && top?.kind === 'array') top.index += 1;
    else if (character === ':' && top?.kind === 'object') this.#nameMember(top);
    this.#last = byte;
  }

  #open(container: Container): void {
    if (this.#stack.length >= MAX_DEPTH) {
      throw new ServiceError('InvalidJson', `The body has more than ${MAX_DEPTH} levels of objects and arrays.`);
    }
    this.#stack.push(container);
  }

  #nameMember(object: Container & { kind: 'object' }): void {
    // Without a string since the last colon the body is not JSON, and a long name must not be read again and again.
    if (this.#stringStart < 0) return;
    const written = parseText(this.#kept.toString('utf8', this.#stringStart, this.#length - 1));
    this.#stringStart = -1;
    object.written = written.slice(0, MAX_SHOWN_LENGTH);
    object.name = foldName(written);
    if (object.names.has(object.name) && this.#duplicates.length < MAX_DETAILS) {
      const message = `'${object.written}' occurs more than once in this object; letter case makes no difference.`;
      this.#duplicates.push({ code: 'DuplicateMember', message, target: this.#pointer() });
    }
    object.names.add(object.name);
  }

  #pointer(): string {
    const segments = this.#stack.map((it) => (it.kind === 'array' ? String(it.index) : escapePointer(it.written)));
    return `/${segments.join('/')}`;
  }

  #isFile(): boolean {
    if (this.#last !== 0x3a) return false;
    return FILE_PLACES.some(
      (place) =>
        place.length === this.#stack.length &&
        this.#stack.every((it, depth) => (it.kind === 'array' ? '*' : it.name) === place[depth]),
    );
  }

  #openFile(next: number): number {
    const place = this.#stack.findLast((container) => container.kind === 'array');
    const file = { decoder: new Base64Decoder(), offset: this.#length, writtenBytes: 0 };
    // The end reports too many attachments; until then the surplus must not fill memory.
    if (place !== undefined && this.#files.size < MAX_ATTACHMENTS) this.#files.set(place.index, file);
    this.#file = file;
    this.#state = 'file';
    return next;
  }

  /** Decodes the text of a file up to its closing quote, and returns the index after it. */
  #takeFile(chunk: Buffer, start: number): number {
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
      if (stop > index) this.#decode(chunk.toString('latin1', index, stop), stop - index);
      if (stop === quote) return this.#closeFile(quote + 1);
      index = stop + 1;
      if (stop < chunk.length) this.#escape = '\\';
    }
    return index;
  }

  #takeEscape(chunk: Buffer, start: number): number {
    this.#escape += String.fromCharCode(chunk[start] ?? 0);
    if (this.#escape.length === (this.#escape[1] === 'u' ? 6 : 2)) {
      const character = parseText(`"${this.#escape}"`);
      this.#decode(character === '' || character > '\u007f' ? '\0' : character, this.#escape.length);
      this.#escape = '';
    }
    return start + 1;
  }

  #decode(text: string, writtenBytes: number): void {
    if (this.#file === undefined) return;
    this.#file.writtenBytes += writtenBytes;
    this.#file.decoder.push(text);
  }

  #closeFile(next: number): number {
    if (this.#file !== undefined) {
      this.#file.decoded = decodedBy(this.#file.decoder);
      this.#decodedBytes += this.#file.decoded.sizeBytes;
    }
    this.#file = undefined;
    this.#append(QUOTE);
    this.#state = 'outside';
    this.#last = QUOTE;
    return next;
  }

  /** Where a character of the kept JSON is in the body, from which the files were taken out. */
  #positionInBody(position: number): number {
    let offset = 0;
    let characters = 0;
    let taken = 0;
    for (const file of this.#files.values()) {
      characters += this.#kept.toString('utf8', offset, file.offset).length;
      offset = file.offset;
      if (characters <= position) taken += file.writtenBytes;
    }
    return position + taken;
  }
}

function decodedBy(decoder: Base64Decoder): DecodedFile {
  const bytes = decoder.end();
  return { ...bytes, fault: decoder.fault };
}

/** A JSON text in its quotes; empty if it is not one: JSON.parse of the body reports it. */
function parseText(written: string): string {
  try {
    const text: unknown = JSON.parse(written.trim());
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}
