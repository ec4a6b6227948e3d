import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError } from '@hono/node-server';
import { CORRELATION_ID, correlationIdOf } from './correlation-id.ts';
import { CORS_HEADERS } from './cors.ts';
import { type ErrorBody, errorResponse, problem } from './error-response.ts';

/** A client that is still sending gets this long to read why the server does not listen. */
const LINGER_MS = 1_000;

const refusal = (status: number, title: string, why: string): ErrorBody => ({ status, title, detail: `${title}: ${why}` });

const MALFORMED = refusal(400, 'Bad Request', 'this is no HTTP request that can be read');
const WITHOUT_HOST = refusal(400, 'Bad Request', 'the Host header is missing');
const EXPECTS_TOO_MUCH = refusal(417, 'Expectation Failed', 'nothing but 100-continue can be expected here');

/** The answers to Node's other errors about requests that it could not read. */
const REFUSALS: Readonly<Record<string, ErrorBody>> = {
  ERR_HTTP_REQUEST_TIMEOUT: refusal(408, 'Request Timeout', 'the request did not come in time'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusal(413, 'Content Too Large', 'the chunk extensions are too long'),
  HPE_HEADER_OVERFLOW: refusal(431, 'Request Header Fields Too Large', 'request line and headers are too long together'),
};

/**
 * Returns the answer for a request that cannot reach the application, as its Host or path is unreadable, in the shape
 * of every other error.
 */
export function unreadableRequest(error: unknown): Response {
  if (error instanceof RequestError) return problem(refusal(400, 'Bad Request', error.message.toLowerCase()), headersOf(undefined));
  const response = errorResponse(error);
  for (const [name, value] of Object.entries(headersOf(undefined))) response.headers.set(name, value);
  return response;
}

/**
 * Answers requests that Node would end by itself, in the shape of every other error: requests that cannot be parsed,
 * are too large or too slow, expect what the server does not offer, or have no Host. It is for a server with
 * `requireHostHeader: false`. Returns the listener that must come before `listener`.
 */
export function answerUnreadable(server: Server, listener: RequestListener): RequestListener {
  const lastAnswers = new WeakMap<Socket, ServerResponse>();

  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writableEnded) return;
    const last = lastAnswers.get(socket);
    const isOurTurn = last === undefined || last.writableFinished || isAskedInVain(last);
    if (code === 'ECONNRESET' || !socket.writable || !isOurTurn) {
      socket.destroy();
      return;
    }
    // The connection stays for a moment: a client that is still sending would lose the answer with it.
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.end(messageOf(REFUSALS[code ?? ''] ?? MALFORMED));
  });
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => refuse(incoming, outgoing, EXPECTS_TOO_MUCH));

  return (incoming, outgoing) => {
    lastAnswers.set(incoming.socket, outgoing);
    // HTTP/1.0 has no Host.
    if (incoming.headers.host === undefined && incoming.httpVersion === '1.1') return refuse(incoming, outgoing, WITHOUT_HOST);
    return listener(incoming, outgoing);
  };
}

/**
 * Returns whether the next answer belongs to a request whose body broke off and has not begun, so that the client takes
 * this message for it.
 */
const isAskedInVain = (answer: ServerResponse): boolean => answer.socket !== null && !answer.headersSent && !answer.req.complete;

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, body: ErrorBody): void {
  const { headers } = problem(body, headersOf(incoming.headers[CORRELATION_ID.toLowerCase()]));
  outgoing.writeHead(body.status, { ...Object.fromEntries(headers), Connection: 'close' });
  outgoing.end(JSON.stringify(body));
}

/** Returns the whole answer in the form in which it goes over the wire. */
function messageOf(body: ErrorBody): string {
  const headers = {
    ...Object.fromEntries(problem(body, headersOf(undefined)).headers),
    Connection: 'close',
    Date: new Date().toUTCString(),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${body.status} ${STATUS_CODES[body.status]}`, ...lines, '', JSON.stringify(body)].join('\r\n');
}

const headersOf = (correlationId: string | string[] | undefined) => ({
  ...CORS_HEADERS,
  [CORRELATION_ID]: correlationIdOf(typeof correlationId === 'string' ? correlationId : undefined),
});
