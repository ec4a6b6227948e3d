import { beforeAll, describe, expect, it } from 'vitest';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import { imagebuilderAbi } from '#core/package-solver/imagebuilder-abi.ts';
import type { RecordStore } from '#core/stores.ts';
import { type RecordedUpstream, serveRecordedWorlds } from '#test/support/recorded-upstream.ts';
import { type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { buildRequestParser } from '../parse-build-request.ts';
import { prepareBuild } from '../prepare-build.ts';
import { forecastRequest } from './forecast-request.ts';

const X86 = { version: '25.12.0', target: 'x86/64', profile: 'generic' };
const branch: Branch = { name: '25.12', path: 'releases/{version}', enabled: true, path_packages: 'DEPRECATED' } as Branch;
const IMAGEBUILDER = 'c'.repeat(64);

let upstream: RecordedUpstream;
beforeAll(async () => {
  upstream = await serveRecordedWorlds([{ world: recorded<RecordedWorld>('apk-25.12-x86'), ...X86 }]);
  const sums = `releases/25.12.0/targets/x86/64/sha256sums`;
  const tarball = `${IMAGEBUILDER} *openwrt-imagebuilder-25.12.0-x86-64.Linux-x86_64.tar.zst\n`;
  upstream.files.set(sums, Buffer.concat([upstream.files.get(sums) ?? Buffer.alloc(0), Buffer.from(tarball)]));
  return upstream.close;
});

/** Returns a function that forecasts requests for packages, in a process at a time that the test chooses. */
function forecasting(records: RecordStore = memoryRecordStore()) {
  const clock = { now: new Date() };
  const catalogue = upstreamCatalogue({ baseUrl: upstream.url, records, now: () => clock.now, waitMs: 20_000 });
  const deps = { catalogue, policy: { allowDefaults: false, repositoryAllowList: [], branches: [branch] } };
  const ask = async (...packages: string[]) => {
    const request = buildRequestParser()({ ...X86, packages });
    return (await forecastRequest(deps, (options) => prepareBuild(deps, request, { ...options, skipResolution: true }))).forecast;
  };
  return { ask, clock };
}

describe('names of which the ImageBuilder makes others', () => {
  it.each([
    [undefined, 'unsure'],
    [true, 'no'],
    [false, 'yes'],
  ])('with an ImageBuilder that does so: %s', async (addsAbi, verdict) => {
    const records = memoryRecordStore();
    if (addsAbi !== undefined) await imagebuilderAbi(records).note(IMAGEBUILDER, addsAbi);
    expect((await forecasting(records).ask('libmbedtls-any')).verdict).toBe(verdict);
  });
});

describe('while upstream does not answer', () => {
  it('nothing is impossible any more, and what was possible still is', async () => {
    const { ask, clock } = forecasting();
    expect((await ask('wpad-any')).verdict).toBe('no');
    const files = new Map(upstream.files);
    upstream.files.clear();
    clock.now = new Date(clock.now.getTime() + 5 * 60_000);
    const later = await ask('wpad-any');
    expect([later.verdict, later.problems.length, later.reason]).toEqual([
      'unsure',
      1,
      expect.stringContaining('Upstream does not answer'),
    ]);
    expect((await ask('tcpdump')).verdict).toBe('yes');
    for (const [path, body] of files) upstream.files.set(path, body);
  });
});
