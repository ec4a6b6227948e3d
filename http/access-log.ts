import type { Answered } from '#observe/answered.ts';
import { type Log, type LogFields, type LogLevel, shortHashes } from '#observe/log.ts';

/** What comes by the thousand and changes nothing: polls, downloads, probes and scans. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Requests that change something, and answers that tell of trouble, are worth a line each; the rest only to who looks closely. */
export const accessLevel = (method: string, status: number): LogLevel => (status < 500 && READS.has(method) ? 'debug' : 'info');

/** Text from outside, which may be of any length. */
export const shown = (text: string, most = 200): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A path as the log may show it, with short hashes: with the whole hash a reader of the log could read a private build. */
export const shownPath = (path: string): string => shown(shortHashes(path));

/** What the log asks of a request, of most of which it says nothing. */
export interface AccessedRequest {
  readonly method: string;
  readonly path: string;
  header(name: string): string | undefined;
}

/** One line when a request is understood (debug), one when its answer begins. */
export function accessLog(log: Log) {
  return {
    started(request: AccessedRequest, endpoint: string, correlationId: string): void {
      if (!log.writes('debug')) return;
      const fields = { method: request.method, endpoint, path: shownPath(request.path), user_agent: userAgentOf(request) };
      log.debug('request started', { ...fields, correlation_id: correlationId });
    },
    completed(request: AccessedRequest, answered: Answered, facts: LogFields | undefined): void {
      const { method, route, status, milliseconds, correlationId } = answered;
      const level = accessLevel(method, status);
      if (!log.writes(level)) return;
      const fields = {
        method,
        endpoint: route,
        status_code: status,
        duration_ms: Math.round(milliseconds * 100) / 100,
        user_agent: userAgentOf(request),
        ...facts,
        correlation_id: correlationId,
      };
      if (level === 'debug') log.debug('request completed', fields);
      else log.info('request completed', fields);
    },
  };
}

const userAgentOf = (request: AccessedRequest) => shown(request.header('User-Agent') ?? '');
