import { writeSync } from 'node:fs';
import { jsonLog, type Log, type LogLevel } from '#http/log.ts';

/** JSON lines to standard output, gathered for one turn of the event loop and written at once; at the latest when the process ends. */
export function stdoutLog(level: LogLevel | (() => LogLevel)): Log {
  let waiting = '';
  const flush = () => {
    process.stdout.write(waiting);
    waiting = '';
  };
  process.on('exit', () => {
    if (waiting !== '') writeSync(1, waiting);
  });
  return jsonLog(level, (line) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
  });
}
