import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { answerUnreadable, unreadableRequest } from './unreadable-request.ts';

export interface NodeServer {
  /** `http://127.0.0.1:8000`, with the port that the server really has. */
  readonly url: string;
  /** Stops listening, waits a moment for answers in progress, then cuts the remaining connections. */
  close(): Promise<void>;
}

/** Answers in progress get this long when the server stops. */
const GRACE_MS = 3_000;

/** The host of requests without one: HTTP/1.0 has none, and neither do probes of load balancers. */
const HOST_OF_NOBODY = 'localhost';

/** Serves an HTTP application on a port. If it cannot have the port, it rejects with a message that says what to do. */
export async function serveNode(
  app: { fetch: (request: Request, env: object) => Response | Promise<Response> },
  { host, port }: { host: string; port: number },
): Promise<NodeServer> {
  const answer = async (request: Request, env: object) => {
    const response = await app.fetch(request, env);
    await endOfTurn();
    return response;
  };
  const server = createServer({ requireHostHeader: false });
  const listener = getRequestListener(answer, { hostname: HOST_OF_NOBODY, errorHandler: unreadableRequest });
  server.on('request', answerUnreadable(server, listener));
  server.requestTimeout = 60_000;
  server.headersTimeout = 15_000;
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(explain(error, host, port), { cause: error })));
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

let turn: Promise<void> | undefined;

/**
 * Resolves when every request of this turn of the event loop has been handled. Answers that are written one after the
 * other find their reader awake. An answer written alone wakes it again, which costs more than the whole request
 * (docs/decisions/0041-answers-leave-together.md).
 */
function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) =>
    setImmediate(() => {
      turn = undefined;
      resolve();
    }),
  );
  return turn;
}

function explain({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `port ${port} on ${host} is taken: stop what listens there, or choose another with --port`;
  if (code === 'EACCES') return `port ${port} may not be used by this user: choose one above 1023 with --port`;
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine: choose another with --host`;
  return `cannot listen on ${host}:${port}: ${message}`;
}
