/** The limit on each stream of a build in the result document, which every client that asks for the build gets. */
const MAX_BYTES = 1024 * 1024;

/** Returns the end of what a build printed, because errors are there. It is as long as the result document allows. */
export function evidenceText(text: string): string {
  let bytes = 0;
  let start = text.length;
  while (start > 0) {
    bytes += bytesInJson(text.charCodeAt(start - 1));
    if (bytes > MAX_BYTES) return `[…]\n${text.slice(start)}`;
    start -= 1;
  }
  return text;
}

/** Returns the size of a character in UTF-8 JSON, or more. A control character takes six letters. */
function bytesInJson(code: number): number {
  if (code < 0x20) return code === 10 || code === 9 || code === 13 ? 2 : 6;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x80) return 1;
  // Half of a surrogate pair takes two of the pair's four bytes; alone it is written as six letters.
  if (code >= 0xd800 && code <= 0xdfff) return 6;
  return code < 0x800 ? 2 : 3;
}
