import { createHash } from 'node:crypto';
import { problem } from '#http/error-response.ts';
import { type Routes, routes } from '#http/http-app.ts';
import document from '#http/openapi/openapi.json' with { type: 'json' };
import { DOCS_PAGE, DOCS_PAGE_HEADERS, DOCS_SCRIPT } from './docs-page.ts';

/** Reads a file of the docs page; `undefined` when no file has this name. */
export type ReadAsset = (name: string) => Promise<{ readonly body: string; readonly contentType: string } | undefined>;

export interface DocsAppDeps {
  readonly readAsset: ReadAsset;
}

const text = JSON.stringify(document);
const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;

const moved = (location: string) => () => new Response(null, { status: 301, headers: { Location: location } });

/** Serves the OpenAPI document and a page to read and try it. No other function carries either. */
export function docsApp({ readAsset }: DocsAppDeps): Routes {
  const ours: ReadAsset = async (name) =>
    name === 'docs.js' ? { body: DOCS_SCRIPT, contentType: 'text/javascript; charset=utf-8' } : readAsset(name);
  return (
    routes()
      .get('/api/v1/openapi.json', (c) => {
        const headers = { ETag: etag, 'Cache-Control': 'public, max-age=300' };
        if (c.req.header('If-None-Match') === etag) return new Response(null, { status: 304, headers });
        return answered(text, { ...headers, 'Content-Type': 'application/json' });
      })
      .get('/api/v1/docs', () => answered(DOCS_PAGE, DOCS_PAGE_HEADERS))
      .get('/api/v1/docs/:asset', async (c) => {
        const asset = await ours(c.req.param('asset'));
        if (asset === undefined) return problem({ status: 404, title: 'Not Found', detail: 'Not Found: the docs page has no such file' });
        return answered(asset.body, {
          'Content-Type': asset.contentType,
          'Cache-Control': 'public, max-age=3600',
          'X-Content-Type-Options': 'nosniff',
        });
      })
      .get('/api/v1/redoc', moved('/api/v1/docs'))
      // The paths of the reference server.
      .get('/docs', moved('/api/v1/docs'))
      .get('/redoc', moved('/api/v1/docs'))
      .get('/openapi.json', moved('/api/v1/openapi.json'))
  );
}

const answered = (body: string, headers: Readonly<Record<string, string>>) =>
  new Response(body, { headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) } });
