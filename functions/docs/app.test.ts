import { describe, expect, it } from 'vitest';
import { httpApp } from '#http/http-app.ts';
import { jsonLog } from '#observe/log.ts';
import { docsApp } from './app.ts';
import { swaggerAssets } from './swagger-assets.ts';

const app = httpApp({ log: jsonLog('silent', () => undefined) }, docsApp({ readAsset: swaggerAssets() }));

describe('docs', () => {
  it('serves the OpenAPI document, and 304 to a client that has it', async () => {
    const response = await app.request('/api/v1/openapi.json');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.json()).toMatchObject({
      openapi: '3.1.0',
      paths: { '/api/v1/build': { post: { operationId: 'requestBuild' } } },
    });
    const again = await app.request('/api/v1/openapi.json', { headers: { 'If-None-Match': response.headers.get('ETag') ?? '' } });
    expect(again.status).toBe(304);
  });

  it('has a page that asks this server alone, and every file it names', async () => {
    const response = await app.request('/api/v1/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'; script-src 'self'");
    const page = await response.text();
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const files = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => `/api/v1/${path}`);
    expect(files).toHaveLength(3);
    for (const path of files) {
      const file = await app.request(path);
      expect(file.status, path).toBe(200);
      expect(file.headers.get('Content-Type')).toMatch(path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
      expect(Number(file.headers.get('Content-Length'))).toBe((await file.arrayBuffer()).byteLength);
    }
  });

  it.each([
    ['/api/v1/redoc', '/api/v1/docs'],
    ['/docs', '/api/v1/docs'],
    ['/redoc', '/api/v1/docs'],
    ['/openapi.json', '/api/v1/openapi.json'],
  ])('%s leads to %s', async (path, location) => {
    const response = await app.request(path);
    expect([response.status, response.headers.get('Location')]).toEqual([301, location]);
  });

  it.each(['index.html', 'swagger-ui.js', '..%2fpackage.json', '__proto__', 'constructor'])('has no file %s', async (name) => {
    expect((await app.request(`/api/v1/docs/${name}`)).status).toBe(404);
  });
});
