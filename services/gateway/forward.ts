import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { BodyTooLargeError } from '#http/json-body.ts';
import { ServiceTimeoutError, ServiceUnreachableError } from './errors.ts';
import { responseHeaders } from './passed-headers.ts';

/** A service behind the gateway. */
export interface Target {
  readonly name: string;
  /** The base URL, without a slash at its end. */
  readonly url: string;
}

export interface Forwarding {
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly maxBodyBytes: number;
  /** The time limit to the beginning of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The time after which a service without a connection counts as unreachable. */
const CONNECT_MS = 2_000;
/** The time without data after which the gateway gives an answer up. */
const IDLE_MS = 60_000;
/** Statuses whose answers must not have a body. */
const BODILESS = new Set([101, 204, 205, 304]);

const agents = {
  'http:': new Agent({ keepAlive: true, maxFreeSockets: 256 }),
  'https:': new TlsAgent({ keepAlive: true, maxFreeSockets: 256 }),
};

/**
 * Passes one request on and returns the service's answer as soon as it begins, byte by byte, with any status,
 * compressed or not. Throws `BodyTooLargeError`, `ServiceTimeoutError` or `ServiceUnreachableError`.
 */
export function forward({ name, url: base }: Target, forwarding: Forwarding): Promise<Response> {
  const { method, path, headers, body, timeoutMs, signal } = forwarding;
  const url = new URL(base + path);
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const request = (isTls ? httpsRequest : httpRequest)(url, { method, headers, signal, agent: agents[isTls ? 'https:' : 'http:'] });
    const late = setTimeout(() => request.destroy(new ServiceTimeoutError(name, timeoutMs)), timeoutMs);
    request.once('socket', (socket) => {
      if (!socket.connecting) return;
      const lonely = setTimeout(() => request.destroy(new ServiceUnreachableError(name)), CONNECT_MS);
      socket.once('connect', () => clearTimeout(lonely)).once('close', () => clearTimeout(lonely));
    });
    request.once('error', (error) => {
      clearTimeout(late);
      const isKnown =
        error instanceof ServiceTimeoutError || error instanceof ServiceUnreachableError || error instanceof BodyTooLargeError;
      reject(isKnown ? error : new ServiceUnreachableError(name, { cause: error }));
    });
    request.once('response', (message) => {
      clearTimeout(late);
      resolve(answerOf(message, method));
    });
    if (body === null) request.end();
    else send(request, body, forwarding.maxBodyBytes).catch((error) => request.destroy(error));
  });
}

function answerOf(message: IncomingMessage, method: string): Response {
  const status = message.statusCode ?? 502;
  const init = { status, headers: responseHeaders(message.rawHeaders) };
  if (method === 'HEAD' || BODILESS.has(status)) {
    message.resume();
    return new Response(null, init);
  }
  message.setTimeout(IDLE_MS, () => message.destroy(new Error('the answer stands still')));
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, init);
}

/** Sends the body as fast as the service takes it, and never more than allowed. */
async function send(request: ClientRequest, body: ReadableStream<Uint8Array>, maxBytes: number): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
    // A service may answer before it has read everything.
    if (request.destroyed || request.writableEnded) return;
    if (!request.write(chunk))
      await new Promise<void>((resolve) => {
        request.once('drain', resolve).once('close', resolve);
      });
  }
  request.end();
}
