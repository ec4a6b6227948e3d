import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client has gone.
      return;
    }
    const body = Buffer.concat(chunks);
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    await behaviour(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    behave: (next) => {
      behaviour = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
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
