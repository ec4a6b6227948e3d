import { randomUUID } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { FunctionName } from '#functions/function-name.ts';
import { functionFor } from './function-for.ts';
import { type HttpResult, httpEvent } from './http-event.ts';
import type { LocalFunction } from './local-function.ts';
import { type ViewerHeaders, type ViewerRequest, type ViewerResponse, viewerFunctions } from './viewer-functions.ts';

export interface LocalApiOptions {
  /** The address of the bucket as an origin: `http://127.0.0.1:4566/<bucket>`. */
  readonly bucketUrl: string;
  readonly functions: Readonly<Record<FunctionName, LocalFunction>>;
  readonly port?: number;
  /** Called with what a deployment would log: a function that failed, an origin that could not be reached. */
  readonly onError?: (error: unknown) => void;
}

export interface LocalApi {
  readonly url: string;
  close(): Promise<void>;
}

/** API Gateway's limit. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** The status that stands for an origin that could not be reached, also when the origin group decides on failover. */
const UNREACHABLE = 502;
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-authorization']);

/**
 * Starts one small server that does what stands in front of the functions on AWS: CloudFront with its two viewer
 * functions (the files that are deployed), the bucket as the first origin where those functions choose it, and the HTTP
 * API with its routes. It caches nothing. Every request reaches the origins, so an old answer can never hide a fault.
 */
export async function startLocalApi({ bucketUrl, functions, port = 0, onError = () => undefined }: LocalApiOptions): Promise<LocalApi> {
  const viewer = viewerFunctions();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const received = viewerRequest(request);
    const body = await bodyOf(request);
    if (body === undefined) return send(response, { statusCode: 413, headers: {} }, '{"message":"Request Entity Too Large"}');
    const decided = viewer.onRequest(received, requestId);
    if ('response' in decided) return send(response, decided.response, '');
    const { request: sent, route } = decided;
    /**
     * Runs the viewer function on a response. CloudFront does not run it on errors: the client gets them as the origin
     * sent them.
     */
    const finish = (headers: ViewerHeaders, statusCode: number): ViewerResponse =>
      statusCode < 400 ? viewer.onResponse(sent, { statusCode, headers }, requestId) : { statusCode, headers };

    if (route.to === 'bucket') {
      const object = await fromBucket(bucketUrl, sent).catch(onError);
      const status = object?.statusCode ?? UNREACHABLE;
      if (object !== undefined && !route.orApiOn.includes(status)) {
        const { headers } = finish(viewerHeaders(object.headers), status);
        response.writeHead(status, nodeHeaders(headers));
        return pipeline(object, response);
      }
      object?.resume();
      if (!route.orApiOn.includes(status)) return send(response, { statusCode: status, headers: {} }, 'The origin cannot be reached');
    }
    const result = await invoke(functions[functionFor(sent.uri)], httpEvent(sent, body, request.socket.remoteAddress ?? ''), onError);
    const headers: ViewerHeaders = Object.fromEntries(
      Object.entries(result.headers ?? {}).map(([name, value]) => [name.toLowerCase(), { value }]),
    );
    const { headers: finished } = finish(headers, result.statusCode);
    const content = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
    send(response, { statusCode: result.statusCode, headers: finished }, request.method === 'HEAD' ? undefined : content);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      onError(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Returns the function's answer, or the answer that the HTTP API gives when the function failed or could not start. */
async function invoke(handler: LocalFunction, event: object, onError: (error: unknown) => void): Promise<HttpResult> {
  try {
    return (await handler.invoke(event)) as HttpResult;
  } catch (error) {
    onError(error);
    return { statusCode: 500, headers: { 'content-type': 'application/json' }, body: '{"message":"Internal Server Error"}' };
  }
}

function fromBucket(bucketUrl: string, { method, uri, headers }: ViewerRequest): Promise<IncomingMessage> {
  const { hostname, port, pathname } = new URL(bucketUrl);
  const given = Object.entries(headers).filter(([name]) => name !== 'host' && name !== 'content-length' && !HOP_BY_HOP.has(name));
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path: pathname + uri, headers: nodeHeaders(Object.fromEntries(given)) };
    httpRequest(options, resolve).once('error', reject).end();
  });
}

function viewerRequest({ method = 'GET', url = '/', headers }: IncomingMessage): ViewerRequest {
  const [uri = '/', query = ''] = url.split(/\?(.*)/s);
  const querystring: ViewerRequest['querystring'] = {};
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const known = querystring[name];
    if (known === undefined) querystring[name] = { value };
    else known.multiValue = [...(known.multiValue ?? [{ value: known.value }]), { value }];
  }
  return { method, uri, querystring, headers: viewerHeaders(headers) };
}

const viewerHeaders = (headers: IncomingHttpHeaders): ViewerHeaders =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !HOP_BY_HOP.has(name))
      .map(([name, value]) => [name, { value: [value ?? []].flat().join(', ') }]),
  );

const nodeHeaders = (headers: ViewerHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]));

/** Returns the body, or `undefined` when it is larger than the HTTP API accepts. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

function send(response: ServerResponse, { statusCode, headers }: ViewerResponse, content: string | Buffer | undefined): void {
  const length = content === undefined || 'content-length' in headers ? {} : { 'content-length': String(Buffer.byteLength(content)) };
  response.writeHead(statusCode, { ...nodeHeaders(headers), ...(statusCode === 204 ? {} : length) });
  response.end(content);
}
