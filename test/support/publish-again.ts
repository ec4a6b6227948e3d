import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { demoUpstreamKey, usignSignature } from '#demo/upstream/key.ts';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';

/** Returns a file of the demo upstream as it was generated. */
export const generatedFile = async (path: string): Promise<Buffer> => readFile(join(await demoUpstreamDirectory(), path));

/** Publishes an index once more: the same packages, in a file with another digest. Its signature is that of the text. */
export async function publishAgain(upstream: DemoUpstreamServer, directory: string): Promise<Buffer> {
  const packed = gzipSync(gunzipSync(await generatedFile(`${directory}/Packages.gz`)), { level: 1 });
  upstream.overlay(`${directory}/Packages.gz`, packed);
  return packed;
}

/** Publishes the target's own packages once more, and the sums that list them. */
export async function publishTargetAgain(upstream: DemoUpstreamServer, target: string): Promise<void> {
  const digest = createHash('sha256')
    .update(await publishAgain(upstream, `${target}/packages`))
    .digest('hex');
  const sums = (await generatedFile(`${target}/sha256sums`)).toString();
  const changed = Buffer.from(sums.replace(/^.{64} \*packages\/Packages\.gz$/m, `${digest} *packages/Packages.gz`));
  upstream.overlay(`${target}/sha256sums`, changed);
  upstream.overlay(`${target}/sha256sums.sig`, usignSignature(changed, demoUpstreamKey));
}
