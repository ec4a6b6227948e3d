import type { Context } from 'hono';
import type { Artifact, ArtifactStore } from '#core/stores.ts';
import { problem } from './error-response.ts';
import type { HttpEnv } from './http-app.ts';

/**
 * Serves one object: strong ETag and Last-Modified with their conditions, one byte range, HEAD. It does not compress,
 * since auc compares the file's size with Content-Length (docs/contract.md §9.5).
 */
export async function serveArtifact(c: Context<HttpEnv>, artifacts: ArtifactStore, key: string): Promise<Response> {
  const found = await artifacts.stat(key);
  if (found === undefined) return problem({ status: 404, title: 'Not Found', detail: 'Not found' });
  const headers = headersOf(found);
  if (isNotModified(c, found)) return new Response(null, { status: 304, headers });

  const range = wantedRange(c, found);
  if (range === 'unsatisfiable')
    return problem(
      { status: 416, title: 'Range Not Satisfiable', detail: `Range Not Satisfiable: the file has ${found.size} bytes` },
      { 'Content-Range': `bytes */${found.size}` },
    );
  const length = range === undefined ? found.size : range.end - range.start + 1;
  const status = range === undefined ? 200 : 206;
  const all = {
    ...headers,
    'Content-Length': String(length),
    ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${found.size}` }),
  };
  if (c.req.method === 'HEAD') return new Response(null, { status, headers: all });
  const artifact = await artifacts.open(key, range);
  if (artifact === undefined) return problem({ status: 404, title: 'Not Found', detail: 'Not found' });
  return new Response(artifact.body, { status, headers: all });
}

type Facts = Omit<Artifact, 'body'>;

const headersOf = ({ etag, lastModified, meta }: Facts): Record<string, string> => ({
  'Content-Type': meta.contentType,
  'Cache-Control': meta.cacheControl,
  ETag: etag,
  'Last-Modified': lastModified.toUTCString(),
  'Accept-Ranges': 'bytes',
  'X-Content-Type-Options': 'nosniff',
  ...(meta.filename !== undefined && { 'Content-Disposition': `attachment; filename="${meta.filename}"` }),
});

function isNotModified(c: Context<HttpEnv>, { etag, lastModified }: Facts): boolean {
  const tags = c.req.header('If-None-Match');
  if (tags !== undefined)
    return tags
      .split(',')
      .map((tag) => tag.trim().replace(/^W\//, ''))
      .some((tag) => tag === '*' || tag === etag);
  const since = c.req.header('If-Modified-Since');
  return since !== undefined && Date.parse(since) >= Math.floor(lastModified.getTime() / 1000) * 1000;
}

/**
 * Returns the single byte range that the request wants of the present object. Any other Range header is ignored, as RFC
 * 9110 allows.
 */
function wantedRange(
  c: Context<HttpEnv>,
  { size, etag, lastModified }: Facts,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const header = c.req.header('Range');
  const condition = c.req.header('If-Range');
  if (header === undefined || (condition !== undefined && condition !== etag && condition !== lastModified.toUTCString())) return undefined;
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from === '') {
    const start = Math.max(0, size - Number(to));
    return Number(to) === 0 || size === 0 ? 'unsatisfiable' : { start, end: size - 1 };
  }
  const start = Number(from);
  if (start >= size) return 'unsatisfiable';
  if (to !== '' && Number(to) < start) return undefined;
  return { start, end: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}
