import { finished } from 'node:stream/promises';
import { newFileStream } from '#runner/files/new-file-stream.ts';

/** The length beyond which a line is split: progress bars have no line ends. */
const MAX_LINE = 2000;

export interface BuildLog {
  /** Writes a line of our own. */
  line(text: string): void;
  /** Writes output of a command as it comes. */
  output(chunk: Buffer): void;
  close(): Promise<void>;
}

/** The limit on lines. Real logs have a few thousand. */
const MAX_LINES = 100_000;

/**
 * Returns a log that writes a whole build to `path` and passes every line to `onLine`. Beyond `maxBytes`, or a number
 * of lines that no real log has, it writes one note and then nothing more.
 */
export function buildLog(path: string, maxBytes: number, onLine: (line: string) => void): BuildLog {
  const file = newFileStream(path);
  // A full disk must not end the process. The build runs into it, too, and reports it.
  file.on('error', () => undefined);
  let written = 0;
  let lines = 0;
  let isFull = false;
  let rest = '';
  const decoder = new TextDecoder();

  /** Writes lines that come together in one call, because each write is held in memory until it is on the disk. */
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
