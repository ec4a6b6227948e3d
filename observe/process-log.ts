import { jsonLog, type Log, type LogLevel } from './log.ts';

/**
 * JSON lines to standard output, each written at once: where a process may be frozen or ended after its answer, nothing may
 * wait for a next turn.
 */
export const processLog = (level: LogLevel, service: string): Log => jsonLog(level, (line) => void process.stdout.write(line), { service });
