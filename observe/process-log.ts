import { jsonLog, type Log, type LogLevel } from './log.ts';

/**
 * A log of JSON lines on standard output, each written at once: a process that may be frozen or ended after its answer
 * cannot leave a line for later.
 */
export const processLog = (level: LogLevel, service: string): Log => jsonLog(level, (line) => void process.stdout.write(line), { service });
