import { createHash } from 'node:crypto';
import type { BuildOrder } from '#core/build/build-order.ts';
import { imagebuilderOf, parseDigests, parseProfiles } from '#core/catalogue/upstream-files.ts';
import { type BuildRequest, buildRequestSchema } from '#core/request/build-request.ts';
import { BinDir, RequestHash } from '#core/request/request-hash.ts';
import { finished } from '#lib/sliced.ts';

/** Returns an order like build-submit's, from what the upstream at `url` publishes now. Packages are not resolved. */
export async function demoOrder(url: string, request: Partial<BuildRequest> = {}): Promise<BuildOrder> {
  const asked = { version: '24.10.2', target: 'x86/64', profile: 'generic', ...request };
  const versionPath = asked.version === 'SNAPSHOT' ? 'snapshots' : `releases/${asked.version}`;
  const directory = `${url}/${versionPath}/targets/${asked.target}`;
  const sums = await (await fetch(`${directory}/sha256sums`)).text();
  const profiles = finished(parseProfiles(await (await fetch(`${directory}/profiles.json`)).text()));
  const imagebuilder = imagebuilderOf(finished(parseDigests(sums)));
  if (imagebuilder === undefined) throw new Error(`no ImageBuilder in ${directory}`);
  return {
    requestHash: RequestHash.parse(createHash('sha256').update(JSON.stringify(asked)).digest('hex')),
    request: buildRequestSchema().parse(asked),
    versionPath,
    arch: profiles.arch ?? '',
    revision: profiles.revision,
    imagebuilder,
    inputs: createHash('sha256').update(sums).digest('hex'),
  };
}

let attempts = 0;

export const demoBinDir = (): BinDir => BinDir.parse(createHash('sha256').update(`${process.pid} ${attempts++}`).digest('hex'));
