import { afterAll, afterEach } from 'vitest';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * Starts what a file of tests needs that alter the demo's ImageBuilder: an upstream, which serves the demo's own again
 * after each test, and a directory for the builds. Both end with the file.
 */
export async function alteredUpstream() {
  const directory = await temporaryDirectory();
  const upstream = await serveDemoUpstream();
  afterEach(() => upstream.restore());
  afterAll(() => upstream.close());
  return { directory, upstream };
}
