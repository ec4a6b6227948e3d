/** Lines of this kind differ from run to run and from machine to machine, and show nothing. */
const LEFT_OUT = /^ {2}(?:data {5}|making )/;

/** The lines of the demo's output that the picture shows: all but the paths of this machine and the list of URLs at the end. */
export function shownLines(output: string): string[] {
  const [shown = ''] = output.split('\nEverything has a URL\n');
  return `$ npm run demo\n${shown}`
    .trimEnd()
    .split('\n')
    .filter((line) => !LEFT_OUT.test(line));
}
