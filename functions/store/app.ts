import type { FindImage } from '#core/build/find-image.ts';
import { forAnswer } from '#core/build/private-build-error.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { problem } from '#http/error-response.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { redirect } from '#http/redirect.ts';
import { serveArtifact } from '#http/serve-artifact.ts';

export interface StoreAppDeps {
  readonly artifacts: ArtifactStore;
  /** The text of the public key for signatures of images. */
  readonly signingKey?: string | undefined;
  /** Finds images that a client asks for by the request hash. Absent: only `bin_dir` names a directory. */
  readonly findImage?: FindImage | undefined;
}

const FILE = /^\/store\/([0-9a-f]{64})\/([A-Za-z0-9._+-]+)$/;

/**
 * Serves finished images: `GET` and `HEAD /store/{bin_dir}/{file}`. On AWS the bucket does this without any function.
 * Where no file has the path and `{bin_dir}` is the request hash of a finished build, the answer is a redirect to the
 * build's file of that name (docs/decisions/0062-images-by-the-request-hash.md).
 */
export function storeApp({ artifacts, signingKey, findImage }: StoreAppDeps): Routes {
  const app = routes().get('/store/*', async (c) => {
    const [, directory = '', name = ''] = FILE.exec(c.req.path) ?? [];
    if (name === '') return notFound();
    try {
      const file = await serveArtifact(c, artifacts, `store/${directory}/${name}`);
      if (file.status !== 404) return file;
      const binDir = await findImage?.(directory, name);
      return binDir === undefined ? file : redirect(302, `/store/${binDir}/${name}`, { 'Cache-Control': 'no-store' });
    } catch (error) {
      // The file may be that of a private build.
      throw forAnswer(error, { isPrivate: true });
    }
  });
  if (signingKey !== undefined)
    app.get('/signing-key.pub', () => new Response(signingKey, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }));
  return app;
}

const notFound = () => problem({ status: 404, title: 'Not Found', detail: 'Not found' });
