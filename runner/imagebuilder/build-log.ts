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

/** Writes a build's whole log to `path` and tells every line to `onLine`. Beyond `maxBytes` it says so once and falls silent. */
export function buildLog(path: string, maxBytes: number, onLine: (line: string) => void): BuildLog {
  const file = newFileStream(path);
  // A full disk must not take the process down; the build meets it too and says so.
  file.on('error', () => undefined);
  let written = 0;
  let isFull = false;
  let rest = '';
  const decoder = new TextDecoder();

  const write = (line: string): void => {
    if (isFull) return;
    written += Buffer.byteLength(line) + 1;
    isFull = written > maxBytes;
    const text = isFull ? '[log too long, cut here]' : line;
    file.write(`${text}\n`);
    onLine(text);
  };
  const flush = (): void => {
    if (rest !== '') write(rest);
    rest = '';
  };

  return {
    line: (text) => {
      flush();
      write(text);
    },
    output: (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) write(line);
      if (rest.length > MAX_LINE) flush();
    },
    close: async () => {
      flush();
      file.end();
      await finished(file).catch(() => undefined);
    },
  };
}
