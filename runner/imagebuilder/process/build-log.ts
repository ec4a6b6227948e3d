import { finished } from 'node:stream/promises';
import { newFileStream } from '#runner/files/new-file-stream.ts';

/** Lines longer than this are told in pieces: progress bars have no line ends. */
const MAX_LINE = 2000;

export interface BuildLog {
  /** A line of our own. */
  line(text: string): void;
  /** Output of a command, as it comes. */
  output(chunk: Buffer): void;
  close(): Promise<void>;
}

/** Real logs have some thousand. */
const MAX_LINES = 100_000;

/**
 * Writes a build's whole log to `path` and gives every line to `onLine`. Beyond `maxBytes`, or a number of lines that no real log has, it
 * says so once and falls silent.
 */
export function buildLog(path: string, maxBytes: number, onLine: (line: string) => void): BuildLog {
  const file = newFileStream(path);
  // A full disk must not take the process down; the build meets it too and says so.
  file.on('error', () => undefined);
  let written = 0;
  let lines = 0;
  let isFull = false;
  let rest = '';
  const decoder = new TextDecoder();

  /** Lines that come together are written together: each write is remembered until the disk has it. */
  const write = (texts: readonly string[]): void => {
    const taken: string[] = [];
    for (const line of texts) {
      if (isFull) break;
      written += Buffer.byteLength(line) + 1;
      lines += 1;
      isFull = written > maxBytes || lines > MAX_LINES;
      const text = isFull ? '[log too long, cut here]' : line;
      taken.push(text);
      onLine(text);
    }
    if (taken.length > 0) file.write(`${taken.join('\n')}\n`);
  };
  const flush = (): void => {
    if (rest !== '') write([rest]);
    rest = '';
  };

  return {
    line: (text) => {
      flush();
      write([text]);
    },
    output: (chunk) => {
      if (isFull) return;
      const said = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = said.pop() ?? '';
      write(said);
      if (rest.length > MAX_LINE) flush();
    },
    close: async () => {
      flush();
      file.end();
      await finished(file).catch(() => undefined);
    },
  };
}
