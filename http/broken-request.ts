import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { AsuError } from '#core/errors.ts';
import type { HttpEnv } from './http-app.ts';

/** The body of the request ended too early: the client hung up, or sent something that is no body. */
export class BrokenBodyError extends AsuError {
  readonly status = 400;
  readonly title = 'Bad Request';
  constructor(options?: ErrorOptions) {
    super('Bad Request: the request body broke off before its end', options);
  }
}

/**
 * The client hung up before its answer began. Only log and metrics see the status, which nginx uses for the same case.
 */
export class ClientGoneError extends AsuError {
  readonly status = 499;
  readonly title = 'Client Closed Request';
  constructor(options?: ErrorOptions) {
    super('Client Closed Request: the client hung up before the answer', options);
  }
}

/**
 * Returns whether the client broke its request off. `serveNode` puts Node's own request into the environment. A
 * function on AWS gets complete requests only.
 */
export function isBrokenOff({ env }: Context<HttpEnv>): boolean {
  const incoming = (env as { incoming?: IncomingMessage } | undefined)?.incoming;
  return incoming !== undefined && !incoming.complete && (incoming.destroyed || incoming.errored !== null);
}
