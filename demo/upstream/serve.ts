import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, type Faults, faultList } from './faults.ts';
import { demoUpstreamDirectory } from './generate.ts';

/** A request that the demo upstream received. `status` is 0 if it sent no answer. */
interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** A running demo upstream. */
export interface DemoUpstreamServer {
  /** The base URL, without a slash at the end. */
  url: string;
  requests: SeenRequest[];
  clearRequests(): void;
  faults: Faults;
  /** Replaces the content of a path, for this server only. */
  overlay(path: string, content: string | Uint8Array): void;
  /** Removes a file, for this server only. */
  remove(path: string): void;
  /** Undoes every `overlay` and `remove`. */
  restore(): void;
  close(): Promise<void>;
}

interface Resource {
  size: number;
  etag: string;
  modified: Date;
  contentType: string;
  read(start: number, end: number): Promise<Buffer | Readable>;
}

const contentTypes: Record<string, string> = {
  '.json': 'application/json',
  '.html': 'text/html',
  '.buildinfo': 'text/plain',
  '.gz': 'application/x-gzip',
};

const typeOf = (path: string) =>
  contentTypes[posix.extname(path)] ?? (/\/\.[a-z]+\.json$/.test(path) ? 'application/json' : 'application/octet-stream');

const htmlPage = (title: string, body = '') =>
  `<!DOCTYPE html>\n<html><head><title>${title}</title></head>\n<body><h1>${title}</h1>\n${body}<hr><address>demo upstream</address>\n</body></html>\n`;

function bytesResource(content: Buffer, modified: Date, contentType: string): Resource {
  return {
    size: content.length,
    etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`,
    modified,
    contentType,
    read: async (start, end) => content.subarray(start, end + 1),
  };
}

async function fileResource(file: string, path: string): Promise<Resource | undefined> {
  const facts = await stat(file).catch(() => undefined);
  if (facts?.isDirectory()) {
    const entries = await readdir(file, { withFileTypes: true });
    const names = entries.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`).sort();
    const links = names.map((name) => `<a href="${posix.join(path, encodeURIComponent(name).replace('%2F', '/'))}">${name}</a><br>\n`);
    return bytesResource(Buffer.from(htmlPage(`Index of ${path}`, links.join(''))), facts.mtime, 'text/html');
  }
  if (!facts?.isFile()) return undefined;
  return {
    size: facts.size,
    etag: `"${Math.trunc(facts.mtimeMs).toString(16)}-${facts.size.toString(16)}"`,
    modified: facts.mtime,
    contentType: typeOf(path),
    read: async (start, end) => createReadStream(file, { start, end }),
  };
}

/**
 * Returns the one range of a Range header; undefined if there is none to honour, null if the file does not have these
 * bytes.
 */
function parseRange(header: string | undefined, size: number): { start: number; end: number } | null | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start > end ? null : { start, end };
}

function isNotModified({ headers }: IncomingMessage, { etag, modified }: Resource): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return tags === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  const since = headers['if-modified-since'];
  return since !== undefined && Math.trunc(modified.getTime() / 1000) * 1000 <= Date.parse(since);
}

async function wholeBody(resource: Resource): Promise<Buffer> {
  const body = await resource.read(0, resource.size - 1);
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Sends the body at `bytesPerSecond`, twenty pieces a second. */
async function sendSlowly(response: ServerResponse, body: Buffer, bytesPerSecond: number): Promise<void> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 20));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    response.write(body.subarray(at, at + step));
    await delay(50);
  }
  response.end();
}

async function truncate(response: ServerResponse, resource: Resource, fault: Fault & { kind: 'truncated' }): Promise<void> {
  const body = await wholeBody(resource);
  const part = body.subarray(0, fault.bytes ?? Math.floor(body.length / 2));
  if (fault.announced === false) {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': resource.contentType, connection: 'close' });
    response.end(part);
    return;
  }
  response.writeHead(200, { 'content-type': resource.contentType, 'content-length': body.length });
  response.write(part, () => setImmediate(() => response.destroy()));
}

const sendHtml = (response: ServerResponse, status: number, title: string) => {
  const page = htmlPage(title);
  response.writeHead(status, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(page) });
  response.end(page);
};

async function send(request: IncomingMessage, response: ServerResponse, resource: Resource, fault: Fault | undefined): Promise<void> {
  const headers = {
    'content-type': resource.contentType,
    etag: resource.etag,
    'last-modified': resource.modified.toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (isNotModified(request, resource)) {
    response.writeHead(304, { etag: resource.etag });
    response.end();
    return;
  }
  const ifRange = request.headers['if-range'];
  const mayRange = fault?.kind !== 'no-range' && (ifRange === undefined || ifRange === resource.etag);
  const range = mayRange ? parseRange(request.headers.range, resource.size) : undefined;
  if (range === null) {
    response.writeHead(416, { 'content-range': `bytes */${resource.size}`, 'content-length': 0 });
    response.end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: resource.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${resource.size}` } : {}),
  });
  if (request.method === 'HEAD' || resource.size === 0) {
    response.end();
    return;
  }
  if (fault?.kind === 'slow' && fault.bytesPerSecond !== undefined) {
    await sendSlowly(response, (await wholeBody(resource)).subarray(start, end + 1), fault.bytesPerSecond);
    return;
  }
  const body = await resource.read(start, end);
  if (Buffer.isBuffer(body)) response.end(body);
  else
    try {
      await pipeline(body, response);
    } finally {
      // A pipeline to a client that has gone away before leaves the file open.
      body.destroy();
    }
}

/** Starts a demo upstream on the loopback interface. */
export async function serveDemoUpstream(options: { directory?: string; port?: number } = {}): Promise<DemoUpstreamServer> {
  const directory = options.directory ?? (await demoUpstreamDirectory());
  const faults = faultList();
  const overlays = new Map<string, { content: Buffer; modified: Date } | undefined>();
  const requests: SeenRequest[] = [];

  const find = async (path: string): Promise<Resource | undefined> => {
    if (!overlays.has(path)) return fileResource(join(directory, path), path);
    const entry = overlays.get(path);
    return entry && bytesResource(entry.content, entry.modified, typeOf(path));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return sendHtml(response, 405, '405 Method Not Allowed');
    const fault = faults.take(path);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') {
      response.destroy();
      return;
    }
    if (fault?.kind === 'slow') await delay(fault.ms);
    if (fault?.kind === 'status') return sendHtml(response, fault.status, `${fault.status} (a fault of the demo upstream)`);
    if (fault?.kind === 'html') return sendHtml(response, 200, 'Please log in');
    const resource = await find(path);
    if (fault?.kind === 'body') {
      const body = bytesResource(Buffer.from(fault.body), new Date(), fault.contentType ?? resource?.contentType ?? typeOf(path));
      return send(request, response, body, fault);
    }
    if (!resource) return sendHtml(response, 404, '404 Not Found');
    if (fault?.kind === 'truncated') return truncate(response, resource, fault);
    if (fault?.kind === 'wrong-bytes') {
      const flipped = Buffer.from((await wholeBody(resource)).map((byte) => byte ^ 0xff));
      return send(request, response, { ...resource, read: async (start, end) => flipped.subarray(start, end + 1) }, fault);
    }
    return send(request, response, resource, fault);
  };

  const server = createServer((request, response) => {
    const seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      get status() {
        return response.headersSent ? response.statusCode : 0;
      },
    };
    requests.push(seen);
    let path: string;
    try {
      path = posix.normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
    } catch {
      sendHtml(response, 400, '400 Bad Request');
      return;
    }
    seen.path = path;
    answer(request, response, path).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  const keyOf = (path: string) => posix.normalize(`/${path}`);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    clearRequests: () => {
      requests.length = 0;
    },
    faults: { add: faults.add, clear: faults.clear },
    overlay: (path, content) => {
      overlays.set(keyOf(path), { content: Buffer.from(content), modified: new Date() });
    },
    remove: (path) => {
      overlays.set(keyOf(path), undefined);
    },
    restore: () => overlays.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
