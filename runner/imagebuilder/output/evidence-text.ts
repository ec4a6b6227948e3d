/** Bytes that each stream of a build may take in the result document, which everybody who asks for the build is sent. */
const MAX_BYTES = 1024 * 1024;

/** The end of what a build printed, as much of it as the result document keeps: that is where errors stand. */
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

/** At least what a character takes in UTF-8 JSON: a control character has six letters there. */
function bytesInJson(code: number): number {
  if (code < 0x20) return code === 10 || code === 9 || code === 13 ? 2 : 6;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x80) return 1;
  // Half of a pair takes two of its four bytes, alone it is written as six letters.
  if (code >= 0xd800 && code <= 0xdfff) return 6;
  return code < 0x800 ? 2 : 3;
}
