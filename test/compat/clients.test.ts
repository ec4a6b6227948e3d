import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { auc } from './clients/auc.ts';
import { askUrl, type Device, type Json, parseObject } from './clients/client.ts';
import { firmwareSelector } from './clients/firmware-selector.ts';
import { luci } from './clients/luci.ts';
import { owut } from './clients/owut.ts';
import { repostingScript } from './clients/script.ts';

/** Every client gets a real build, with both package managers. */
const PATIENCE_MS = 180_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ realImages: {} });
}, PATIENCE_MS);
afterAll(() => server.close());

/** A device with the default packages of a version and those that the user added. */
async function device(version: string, target: string, board: string, filesystem: string, added: readonly string[]): Promise<Device> {
  const path = version === 'SNAPSHOT' ? 'snapshots' : `releases/${version}`;
  const { default_packages: common, profiles } = parseObject(
    await askUrl(`${server.upstream.url}/${path}/targets/${target}/profiles.json`),
  ) as { default_packages: string[]; profiles: Record<string, { device_packages: string[] }> };
  const own = (profiles[board.replace(',', '_')] ?? profiles['generic'])?.device_packages ?? [];
  const packages = [...common, ...own].filter((name) => !own.includes(`-${name}`) && !name.startsWith('-'));
  return { version, target, board, filesystem, packages: [...packages, ...added] };
}

/** The order of the steps. A client may miss some between two polls. */
const STATUSES = ['queued - 0 ahead', 'init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image'];
const isInOrder = (shown: readonly string[]) => {
  const places = shown.map((line) => STATUSES.indexOf(line));
  return places.every((place, index) => place >= 0 && place >= (places[index - 1] ?? 0));
};

const manifestOf = ({ answer }: { answer: Json }) => answer['manifest'] as Record<string, string>;

describe.each([
  { manager: 'opkg', to: '24.10.2', from: '24.10.0' },
  { manager: 'apk', to: '25.12.0', from: '24.10.2' },
])('on a version with $manager', ({ manager, to, from }) => {
  it(
    'owut upgrades, and its packages have the versions of the index, kernel modules too',
    async () => {
      const added = ['kmod-wireguard', 'luci-ssl', 'libncurses', 'tmux'];
      const { answer, shown, expected, bytes } = await owut(server.url, await device(from, 'x86/64', 'some-pc', 'ext4', added), to, {
        rootfsSizeMb: 200,
      });
      expect(shown.length, shown.join()).toBeGreaterThan(0);
      expect(isInOrder(shown), shown.join()).toBe(true);
      for (const name of ['kmod-wireguard', 'kmod-e1000e', 'base-files', 'libncurses', 'luci-ssl']) expect(expected[name]).toMatch(/\d/);
      // The published package changes replace opkg by apk there.
      expect(Object.keys(expected)).toContain(manager === 'apk' ? 'apk-mbedtls' : 'opkg');
      expect(answer).toMatchObject({ id: 'generic', version_number: to, request: { diff_packages: true, rootfs_size_mb: 200 } });
      expect(bytes.length).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  it(
    'auc upgrades',
    async () => {
      const run = await auc(server.url, await device(to, 'ath79/generic', '8dev,carambola2', 'squashfs', ['kmod-usb-storage', 'vim']), to);
      expect(run.offered).toContain(to);
      expect(run.answer).toMatchObject({ id: '8dev_carambola2', version_number: to });
      expect(manifestOf(run)).toHaveProperty('kmod-usb-storage');
    },
    PATIENCE_MS,
  );

  it(
    'auc is told which packages there are none of',
    async () => {
      const strange = {
        ...(await device(to, 'ath79/generic', '8dev,carambola2', 'squashfs', [])),
        packages: ['libc', 'librt', 'libpthread'],
      };
      await expect(auc(server.url, strange, to)).rejects.toThrow(/^unknown package: (librt libpthread|libpthread librt)$/);
    },
    PATIENCE_MS,
  );

  it(
    'auc and owut show why the server refuses a request',
    async () => {
      const own = await device(to, 'ath79/generic', '8dev,carambola2', 'squashfs', ['foe-a', 'foe-b']);
      await expect(auc(server.url, own, to)).rejects.toThrow(/^unknown package: conflicts \(foe-a, foe-b\); .*exclude each other/);
      await expect(owut(server.url, own, to)).rejects.toThrow(/Error: Impossible package selection: conflicts \(foe-a, foe-b\); /);
    },
    PATIENCE_MS,
  );

  it(
    'auc and owut show what a failed build said',
    async () => {
      const builder = await startTestServer({ realImages: {}, env: { REFUSE_IMPOSSIBLE: 'warn' } });
      onTestFinished(builder.close);
      const own = await device(to, 'ath79/generic', '8dev,carambola2', 'squashfs', ['foe-a', 'foe-b']);
      const conflict = /^Error: Impossible package selection: conflicts \(.*foe-a.*foe-b.*\).*\n[\s\S]*foe-a/;
      await expect(auc(builder.url, own, to)).rejects.toThrow(conflict);
      await expect(owut(builder.url, own, to)).rejects.toThrow(conflict);
    },
    PATIENCE_MS,
  );

  it.each(['/api/overview', '/api/v1/overview'] as const)(
    'LuCI upgrades, having searched in %s, with posts that do not wait for each other',
    async (overview) => {
      const installed = manager === 'apk' ? '25.12.0-rc1' : from;
      const own = await device(to, 'ath79/generic', 'buffalo,wzr-hp-g300nh-s', 'squashfs', [
        'luci',
        overview === '/api/overview' ? 'htop' : 'nano',
      ]);
      const run = await luci(server.url, { ...own, version: installed }, { overview });
      expect(new Set(run.hashes).size).toBe(1);
      expect(run.shown.length).toBeGreaterThan(0);
      expect(run.preflights.length).toBeGreaterThan(0);
      expect(run.answer).toMatchObject({ id: 'buffalo_wzr-hp-g300nh-s', version_number: to });
    },
    PATIENCE_MS,
  );

  it(
    'LuCI shows what cannot be built',
    async () => {
      const own = await device(to, 'ath79/generic', 'glinet,gl-ar150', 'squashfs', ['foe-a', 'foe-b']);
      const installed = { ...own, version: manager === 'apk' ? '25.12.0-rc1' : from };
      await expect(luci(server.url, installed, { overview: '/api/overview' }).then(({ name }) => name)).rejects.toThrow(
        /^Error: Impossible package selection: conflicts \(.*foe-a.*foe-b.*\)/,
      );
      const unknown = { ...installed, packages: ['no-such-package'] };
      await expect(luci(server.url, unknown, { overview: '/api/overview', parallelPosts: 1 })).rejects.toThrow(
        'Error: Impossible package selection: missing (no-such-package)',
      );
    },
    PATIENCE_MS,
  );

  it(
    'the firmware selector builds',
    async () => {
      const run = await firmwareSelector(server.url, server.upstream.url, {
        version: to,
        target: 'mediatek/filogic',
        profile: 'openwrt_one',
        packages: ['luci', '-ppp', '-ppp-mod-pppoe'],
      });
      expect(run.heading).toBe('OpenWrt One');
      expect(run.preflights.filter((preflight) => preflight.startsWith('GET '))).toHaveLength(1);
      expect(manifestOf(run)).toHaveProperty('luci');
      expect(manifestOf(run)).not.toHaveProperty('ppp');
    },
    PATIENCE_MS,
  );

  it(
    'the firmware selector shows what was wrong',
    async () => {
      const wish = { version: to, target: 'ath79/generic', profile: '8dev_carambola2' };
      const refusal = (more: { packages: string[]; defaults?: string }) =>
        firmwareSelector(server.url, server.upstream.url, { ...wish, ...more }).then(({ name }) => name);
      await expect(refusal({ packages: ['$(id)'] })).rejects.toThrow(/^packages\.\d+: String should match pattern/);
      await expect(refusal({ packages: [], defaults: 'echo' })).rejects.toThrow('Handling `defaults` not enabled on server');
      await expect(refusal({ packages: ['huge'] })).rejects.toThrow('Error: Selected packages exceed device storage');
    },
    PATIENCE_MS,
  );

  it(
    'a script posts until it has an image',
    async () => {
      const wish = { version: to, target: 'ath79/generic', profile: '8dev_carambola2', packages: ['tmux', '-ppp-mod-pppoe'] };
      const run = await repostingScript(server.url, wish);
      expect(run.posts).toBeGreaterThan(1);
      expect((await repostingScript(server.url, wish)).posts).toBe(1);
      expect(manifestOf(run)).toMatchObject({ tmux: expect.any(String) });
    },
    PATIENCE_MS,
  );
});

describe('on snapshots', () => {
  it(
    'LuCI asks for the revision',
    async () => {
      const run = await luci(server.url, await device('SNAPSHOT', 'ath79/generic', 'demo,test', 'squashfs', ['luci']), {
        overview: '/api/v1/overview',
      });
      expect(run.answer).toMatchObject({ id: 'test', version_number: 'SNAPSHOT' });
    },
    PATIENCE_MS,
  );
});
