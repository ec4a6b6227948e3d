import type { Log, LogLevel } from './log.ts';

/** One answered request, for log and metrics. */
export interface Answered {
  readonly method: string;
  /** The route's template, never the path: `unmatched` where no route answers. */
  readonly route: string;
  readonly status: number;
  /** To the beginning of the answer. */
  readonly milliseconds: number;
  readonly correlationId: string;
  /** The answer is 500 by a fault of ours, which is logged as an error beside it. */
  readonly isBug: boolean;
}

/** What comes by the thousand and changes nothing: polls, downloads, probes and scans. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Requests that change something, and answers that tell of trouble, are worth a line each; the rest only to who looks closely. */
export const accessLevel = (method: string, status: number): LogLevel => (status < 500 && READS.has(method) ? 'debug' : 'info');

/** Text from outside, which may be of any length. */
export const shown = (text: string, most = 200): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** One line when a request is understood (debug), one when its answer begins. */
export function accessLog(log: Log) {
  return {
    started(request: { method: string; route: string; path: string; userAgent: string | undefined; correlationId: string }): void {
      if (!log.writes('debug')) return;
      const { method, route, path, userAgent = '', correlationId } = request;
      // The path names builds by hash: at this level alone.
      const fields = { method, endpoint: route, path: shown(path), user_agent: shown(userAgent), correlation_id: correlationId };
      log.debug('request started', fields);
    },
    completed(answered: Answered, userAgent: string | undefined, facts: Readonly<Record<string, unknown>> | undefined): void {
      const { method, route, status, milliseconds, correlationId } = answered;
      const level = accessLevel(method, status);
      if (!log.writes(level)) return;
      const fields = {
        method,
        endpoint: route,
        status_code: status,
        duration_ms: Math.round(milliseconds * 100) / 100,
        user_agent: shown(userAgent ?? ''),
        ...facts,
        correlation_id: correlationId,
      };
      if (level === 'debug') log.debug('request completed', fields);
      else log.info('request completed', fields);
    },
  };
}
