import { PIECE, type Sliced } from '#lib/sliced.ts';
import { MalformedFileError } from './upstream-files.ts';

/** The fields of a paragraph that were read: name → value on one line. */
export type PackageFields = ReadonlyMap<string, string>;

interface ParagraphReader {
  /** The names of the fields to read. */
  readonly wanted: ReadonlySet<string>;
  /** Returns whether a wanted field is left out all the same. The fields before it in the paragraph are known. */
  readonly isLeftOut?: (field: string, before: PackageFields) => boolean;
  /** Called for each paragraph that has a `Package` and a `Version`. */
  readonly use: (fields: PackageFields) => void;
}

/** Some fields take kilobytes: the `Provides` of the kernel. */
const MAX_FIELD_BYTES = 64 * 1024;
const MAX_FIELD_NAME_BYTES = 256;
const [NEWLINE, BLANK, TAB, COLON] = [10, 32, 9, 58];

/**
 * Reads opkg's `Packages`: paragraphs of `Field: value`, where further lines of a value begin with a blank and are not
 * read. Only the values that are wanted become text, so that the file's size is all the memory it takes. It throws a
 * `MalformedFileError` for a file that does not end with a line, which is cut off, and for a paragraph without package
 * or version.
 */
export function* readParagraphs(bytes: Uint8Array, { wanted, isLeftOut = () => false, use }: ParagraphReader): Sliced<void> {
  if (bytes.length > 0 && bytes.at(-1) !== NEWLINE) throw new MalformedFileError('Packages', 'it is cut off');
  const decoder = new TextDecoder();
  const initials = new Set([...wanted].map((field) => field.charCodeAt(0)));
  let fields = new Map<string, string>();
  let isEmpty = true;
  const endParagraph = (): void => {
    if (isEmpty) return;
    if (!fields.get('Package') || fields.get('Version') === undefined)
      throw new MalformedFileError('Packages', 'a paragraph names no package and version');
    use(fields);
    fields = new Map();
    isEmpty = true;
  };
  for (let start = 0, lines = 1; start < bytes.length; lines++) {
    if (lines % PIECE === 0) yield;
    const end = bytes.indexOf(NEWLINE, start);
    const first = bytes[start];
    if (end === start) endParagraph();
    else if (first === BLANK || first === TAB) isEmpty &&= decoder.decode(bytes.subarray(start, end)).trim() === '';
    else if (first === undefined || !initials.has(first)) isEmpty = false;
    else {
      isEmpty = false;
      const colon = bytes.subarray(start, Math.min(end, start + MAX_FIELD_NAME_BYTES)).indexOf(COLON);
      const field = colon > 0 ? decoder.decode(bytes.subarray(start, start + colon)) : '';
      if (wanted.has(field) && !isLeftOut(field, fields)) {
        if (end - start > MAX_FIELD_BYTES) throw new MalformedFileError('Packages', `it has a field of more than ${MAX_FIELD_BYTES} bytes`);
        fields.set(field, decoder.decode(bytes.subarray(start + colon + 1, end)).trim());
      }
    }
    start = end + 1;
  }
  endParagraph();
}
