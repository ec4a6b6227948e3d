import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** The list that prepare showed reaches the runner, and the same list reaches make. */
describe('the prepared list is the built list', () => {
  const orders = new Map<string, BuildOrder>();
  let server: TestServer;
  beforeAll(async () => {
    const imageMaker = scriptedImageMaker({ act: (order) => void orders.set(order.requestHash, order) });
    server = await startTestServer({ env: { MAX_PENDING_JOBS: '1000', WORKER_CONCURRENT: '2' }, imageMaker });
  });
  afterAll(() => server.close());

  const device = fc.constantFrom(
    { target: 'x86/64', profile: 'generic' },
    { target: 'ath79/generic', profile: 'test' },
    { target: 'ath79/generic', profile: '8dev,carambola2' },
    { target: 'mediatek/filogic', profile: 'openwrt_one' },
  );
  const wish = fc.record({
    version: fc.constantFrom('24.10.0', '24.10.2', '23.05.5', '25.12.0', 'SNAPSHOT'),
    packages: fc.uniqueArray(fc.constantFrom('luci', 'vim', 'auc', '-auc', 'owut', 'tmux', '-ppp', 'luci-i18n-opkg-de', 'kmod-usb2'), {
      maxLength: 5,
    }),
    diff_packages: fc.boolean(),
    from_version: fc.constantFrom(undefined, '23.05.5', '24.10.0'),
  });

  it('for any request that is posted directly', async () => {
    await fc.assert(
      fc.asyncProperty(device, wish, async (asked, more) => {
        const request = { ...asked, ...more };
        const prepared = (await (await server.post('/api/v1/prepare', request)).json()) as {
          status: string;
          missing: string[];
          resolved_packages: string[];
          request_hash: string;
        };
        fc.pre(prepared.status === 'prepared' && prepared.missing.length === 0);
        const { status, body } = await server.build(request);
        expect([status, body['request_hash']]).toEqual([200, prepared.request_hash]);
        // The hash leaves out the order of packages: an equal build may have been made for another order.
        expect(orders.get(prepared.request_hash)?.request.packages.toSorted()).toEqual(prepared.resolved_packages.toSorted());
      }),
      { numRuns: 40 },
    );
    expect(orders.size).toBeGreaterThan(5);
  });
});

describe('skip_package_resolution', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ realImages: {} });
  });
  afterAll(() => server.close());

  it('gives make exactly the list that was sent, even where a rule would have added a package', async () => {
    const request = { version: '24.10.2', target: 'mediatek/filogic', profile: 'openwrt_one', packages: ['vim'] };
    const direct = await server.build(request);
    expect([direct.status, direct.body['build_cmd']]).toEqual([200, expect.arrayContaining(['PACKAGES=fitblk vim'])]);
    const skipped = await server.build(request, '?skip_package_resolution=true');
    expect([skipped.status, skipped.body['build_cmd']]).toEqual([200, expect.arrayContaining(['PACKAGES=vim'])]);
    expect(skipped.body['request_hash']).not.toBe(direct.body['request_hash']);
  });
});
