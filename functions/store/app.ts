import { forAnswer } from '#core/build/private-build-error.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { problem } from '#http/error-response.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { serveArtifact } from '#http/serve-artifact.ts';

export interface StoreAppDeps {
  readonly artifacts: ArtifactStore;
  /** The text of the public key for signatures of images. */
  readonly signingKey?: string | undefined;
}

const FILE = /^\/store\/([0-9a-f]{64}\/[A-Za-z0-9._+-]+)$/;

/**
 * Serves finished images: `GET` and `HEAD /store/{bin_dir}/{file}`. On AWS the bucket does this without any function.
 */
export function storeApp({ artifacts, signingKey }: StoreAppDeps): Routes {
  const app = routes().get('/store/*', (c) => {
    const key = FILE.exec(c.req.path)?.[1];
    if (key === undefined) return problem({ status: 404, title: 'Not Found', detail: 'Not found' });
    return serveArtifact(c, artifacts, `store/${key}`).catch((error) => {
      // The file may be that of a private build.
      throw forAnswer(error, { isPrivate: true });
    });
  });
  if (signingKey !== undefined)
    app.get('/signing-key.pub', () => new Response(signingKey, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }));
  return app;
}
