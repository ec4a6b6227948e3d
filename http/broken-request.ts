import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { AsuError } from '#core/errors.ts';
import type { HttpEnv } from './http-app.ts';

/** A request whose body ended before it was whole: the client hung up, or what it sent is no body. */
export class BrokenBodyError extends AsuError {
  readonly status = 400;
  readonly title = 'Bad Request';
  constructor(options?: ErrorOptions) {
    super('Bad Request: the request body broke off before its end', options);
  }
}

/** A client that hung up before its answer began. Only log and metrics see the status, which is nginx's for the same case. */
export class ClientGoneError extends AsuError {
  readonly status = 499;
  readonly title = 'Client Closed Request';
  constructor(options?: ErrorOptions) {
    super('Client Closed Request: the client hung up before the answer', options);
  }
}

/**
 * Whether the client broke its request off. Node's own request is in the environment where `serveNode` serves; a function on AWS gets
 * whole requests only.
 */
export function isBrokenOff({ env }: Context<HttpEnv>): boolean {
  const incoming = (env as { incoming?: IncomingMessage } | undefined)?.incoming;
  return incoming !== undefined && !incoming.complete && (incoming.destroyed || incoming.errored !== null);
}
