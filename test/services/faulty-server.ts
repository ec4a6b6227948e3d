import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, startHttpServer } from '#test/support/http-server.ts';

export type Behaviour = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>;

export interface FaultyServer {
  readonly url: string;
  /** The number of requests so far. */
  readonly seen: readonly {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }[];
  /** Sets how the server behaves from now on. */
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** Starts a real HTTP server on the loopback that treats requests as a test wants. */
export async function faultyServer(first: Behaviour): Promise<FaultyServer> {
  let behaviour = first;
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  const server = await startHttpServer(async (request, response) => {
    const body = await bodyOf(request);
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    await behaviour(request, response, body);
  });
  return {
    url: server.url,
    seen,
    behave: (next) => {
      behaviour = next;
    },
    close: server.close,
  };
}

export const answering =
  (status: number, body: string, headers: Record<string, string> = { 'Content-Type': 'application/json' }): Behaviour =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

/** Takes the request and never answers. */
export const silent: Behaviour = () => undefined;

/** Closes the connection without an answer. */
export const hangingUp: Behaviour = (request) => {
  request.socket.destroy();
};

/** Passes the request on to `url`, and its answer through `change`. */
export const passingOn =
  (url: string, change: (answer: Record<string, unknown>) => unknown = (answer) => answer): Behaviour =>
  async (request, response, body) => {
    const answer = await fetch(url + request.url, {
      method: request.method ?? 'GET',
      headers: { 'Content-Type': 'application/json', 'X-Correlation-Id': String(request.headers['x-correlation-id'] ?? '') },
      ...(body.length > 0 && { body }),
    });
    const changed = change((await answer.json()) as Record<string, unknown>);
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(changed));
  };
