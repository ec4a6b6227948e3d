import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { type BuildOrder, buildOrderOf } from '#core/build/build-order.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { forecastPackages } from '#core/request/forecast/forecast-packages.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { prepareBuild } from '#core/request/prepare-build.ts';
import { binDirOf } from '#core/request/request-hash.ts';
import type { Fault } from '#demo/upstream/faults.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { imagebuilderMaker } from '#runner/imagebuilder/imagebuilder-maker.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

const servers: DemoUpstreamServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

/** An upstream, and a runner that takes its orders from a catalogue of that upstream, as in the real system. */
async function site() {
  const upstream = await serveDemoUpstream();
  servers.push(upstream);
  const directory = await temporaryDirectory();
  const maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, 'cache'),
    workDirectory: join(directory, 'work'),
    keyDirectory: join(directory, 'keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    downloadAttempts: 1,
    recheckMs: 0,
  });
  const catalogue = upstreamCatalogue({ baseUrl: upstream.url, records: memoryRecordStore(), now: () => new Date() });
  const policy = { allowDefaults: false, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
  const orderOf = async (version: string, packages: string[]): Promise<BuildOrder> => {
    const request = buildRequestParser()({ version, target: 'x86/64', profile: 'generic', filesystem: 'squashfs', packages });
    const prepared = await prepareBuild({ catalogue, policy }, request);
    const { imagebuilder } = prepared.valid.record;
    if (imagebuilder === undefined) throw new Error('no ImageBuilder');
    return buildOrderOf(prepared, imagebuilder, await forecastPackages({ catalogue, policy }, prepared));
  };
  let attempts = 0;
  const make = async (order: BuildOrder): Promise<BuildOutput> => {
    const progress = { enter: () => undefined, log: () => undefined };
    try {
      return await maker.make(order, binDirOf(order.requestHash, String(attempts++)), progress, new AbortController().signal);
    } catch (error) {
      if (error instanceof InfrastructureFailure) await error.evidence.dispose?.();
      throw error;
    }
  };
  return { upstream, orderOf, make };
}

const DOWN: [string, string, Fault][] = [
  ['24.10.2', 'answers with errors', { kind: 'status', status: 503 }],
  ['25.12.0', 'cuts every connection', { kind: 'reset' }],
];

describe('a build whose parts are all in the caches', () => {
  it.each(DOWN)('(%s) is made while upstream %s, whatever else was asked for meanwhile', async (version, _, fault) => {
    const { upstream, orderOf, make } = await site();
    const before = await make(await orderOf(version, ['vim', 'tmux']));
    const [part, other] = [await orderOf(version, ['vim']), await orderOf(version, ['luci'])];
    upstream.faults.add(/./, fault);

    const lacking = await make(other).catch((error: unknown) => error);
    expect(lacking).toBeInstanceOf(InfrastructureFailure);
    expect(lacking).toMatchObject({ isFinal: false });
    const made = await make(part);
    expect(made.manifest).toHaveProperty('vim');
    expect(made.digests).toEqual(before.digests);
    expect(before.warnings ?? []).toEqual([]);
    expect(made.warnings).toEqual([{ code: 'upstream_unreachable', severity: 'note', detail: expect.stringContaining('did not answer') }]);
    expect(await readFile(made.logPath ?? '', 'utf8')).toContain('going on with the ImageBuilder in the cache');
    await Promise.all([before.dispose(), made.dispose()]);
  });
});
