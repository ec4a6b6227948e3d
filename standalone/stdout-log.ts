import { writeSync } from 'node:fs';
import { jsonLog, type Log, type LogLevel } from '#observe/log.ts';

/**
 * A log of JSON lines on standard output. The lines of one turn of the event loop are written together, the last when
 * the process ends.
 */
export function stdoutLog(level: LogLevel | (() => LogLevel)): Log {
  let waiting = '';
  const flush = () => {
    process.stdout.write(waiting);
    waiting = '';
  };
  process.on('exit', () => writeAll(Buffer.from(waiting)));
  return jsonLog(level, (line) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
  });
}

/** How long an ending process waits for a slow reader of its last lines. */
const PATIENCE_MS = 2_000;

function writeAll(bytes: Buffer): void {
  const until = performance.now() + PATIENCE_MS;
  let rest = bytes;
  while (rest.length > 0 && performance.now() < until)
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
}
