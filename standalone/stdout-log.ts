import { jsonLog, type Log, type LogLevel } from '#http/log.ts';

/** JSON lines to standard output, gathered for one turn of the event loop and written at once. */
export function stdoutLog(level: LogLevel | (() => LogLevel)): Log {
  let waiting = '';
  const flush = () => {
    process.stdout.write(waiting);
    waiting = '';
  };
  return jsonLog(level, (line) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
  });
}
