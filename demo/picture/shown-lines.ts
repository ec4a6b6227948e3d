/**
 * The kinds of line that the picture leaves out: they differ between runs and machines, and the reader learns nothing
 * from them.
 */
const LEFT_OUT = /^ {2}(?:data {5}|making )/;

/**
 * Returns the lines of the demo's output that the picture shows: all except local paths and the list of URLs at the
 * end.
 */
export function shownLines(output: string): string[] {
  const [shown = ''] = output.split('\nEverything has a URL\n');
  return `$ npm run demo\n${shown}`
    .trimEnd()
    .split('\n')
    .filter((line) => !LEFT_OUT.test(line));
}
