import type { Answered } from '#observe/answered.ts';
import { type Log, type LogFields, type LogLevel, shortHashes } from '#observe/log.ts';

/** The methods of requests that arrive by the thousand and change nothing: polls, downloads, probes and scans. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Returns the level of a request's line: `info` for requests that change something and for faults, `debug` for all
 * others.
 */
export const accessLevel = (method: string, status: number): LogLevel => (status < 500 && READS.has(method) ? 'debug' : 'info');

/** Cuts text from outside, which may have any length. */
export const shown = (text: string, most = 200): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/**
 * A path as the log may show it. Hashes are cut, since a reader of the log could read a private build with a whole one,
 * and images have no name, since it names the device.
 */
export const shownPath = (path: string): string => shown(shortHashes(path).replace(IMAGE_NAME, '$1…'));
const IMAGE_NAME = /^(\/store\/[^/]*\/).+$/;

/** The part of a request that the log reads, and only if it writes a line. */
export interface AccessedRequest {
  readonly method: string;
  readonly path: string;
  header(name: string): string | undefined;
}

/** Returns the access log: one line when a request has found its route (debug), and one when its answer begins. */
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
