/**
 * Calls `use` with each line of a text, without its line end (`\n` or `\r\n`), until `use` returns false. Several line
 * ends in a row are one empty line. The text is never split as a whole, so a text of line ends alone costs no memory.
 */
export function eachLine(text: string, use: (line: string) => boolean | undefined): void {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const isCarriageReturn = newline > start && text.charCodeAt(end - 1) === 13;
    if (use(text.slice(start, isCarriageReturn ? end - 1 : end)) === false) return;
    start = end + 1;
    if (end > 0 && text.charCodeAt(end - 1) !== 10) continue;
    while (text.charCodeAt(start) === 10) start += 1;
  }
}
