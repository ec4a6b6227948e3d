import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APK_INDEX, type CourierSite, courierSite, IDENTITY, OPKG_INDEX, SIGNATURE, sha256, VIM } from '#test/support/courier-site.ts';
import { findTool } from '../sandbox/host-tools.ts';
import { type PackageLists, packageLists } from './package-lists.ts';

/** The name of the index of the feed `base` in the package cache. */
const BASE_INDEX = `index-${sha256('base/Packages.gz').slice(0, 32)}`;
const VIM_TEXT = VIM.toString('latin1');
let site: CourierSite;
beforeEach(async () => {
  site = await courierSite();
});
afterEach(() => site.close());

describe('a build', () => {
  it('gets the indexes of its repositories, fetched in advance, and the packages that they list', async () => {
    const { courier, log } = await site.open();
    expect(site.requests).toEqual(['/base/Packages.gz', '/base/Packages.sig']);
    expect(await site.wget(courier, '/base/Packages.gz')).toEqual({ code: 0, got: OPKG_INDEX.toString('latin1') });
    expect(await site.wget(courier, '/base/Packages.sig')).toEqual({ code: 0, got: SIGNATURE });
    // opkg percent-encodes some characters.
    expect(await site.wget(courier, '/base/vim_9%2b1_x86_64.ipk')).toEqual({ code: 0, got: VIM_TEXT });
    expect(site.requests).toHaveLength(3);
    expect(courier.delivered()).toEqual(new Map([['base/Packages.gz', sha256(OPKG_INDEX)]]));
    expect(log).toEqual([]);
  });

  it('gets what apk asks for', async () => {
    const { courier } = await site.open({ packageManager: 'apk' });
    expect(await site.wget(courier, '/apk/packages.adb', '-')).toEqual({ code: 0, got: APK_INDEX.toString('latin1') });
    expect(await site.wget(courier, '/apk/vim-9-r1.apk', '-')).toEqual({ code: 0, got: VIM_TEXT });
    expect(await site.cachedNames()).toEqual([`vim-9-r1.${IDENTITY.slice(0, 8)}.apk`]);
  });

  it.each(['/secret', '/base/../secret', '/base/Packages', '/base/vim_9+1_x86_64.ipk?x=1', '/base/other.ipk', '/base/'])(
    'does not get %s, even though it exists',
    async (path) => {
      const { courier, log } = await site.open();
      for (const other of ['/base/Packages', '/base/other.ipk', '/base/']) site.files.set(other, 'there');
      expect(await site.wget(courier, path)).toEqual({ code: 8, got: '' });
      expect(site.requests).toEqual(['/base/Packages.gz', '/base/Packages.sig']);
      expect(log.join()).toContain('no repository of this build lists it');
    },
  );

  it('is known to have seen the packages that OpenWrt’s own indexes list, and no others', async () => {
    const { courier: ofClient } = await site.open();
    await ofClient.ready(['vim']);
    expect(ofClient.fetched().listed).toEqual(new Set());
    const { courier } = await site.open({ expected: { 'base/Packages.gz': sha256(OPKG_INDEX) } });
    await courier.ready(['vim']);
    expect(courier.fetched().listed).toEqual(new Set(['vim', 'damaged', 'page', 'endless']));
  });

  it('keeps the lists of OpenWrt’s own indexes for later builds, and no others', async () => {
    const lists = packageLists();
    const read: (string | undefined)[] = [];
    const noting: PackageLists = {
      read: (bytes, format, digest) => {
        read.push(digest);
        return lists.read(bytes, format, digest);
      },
    };
    const ofOpenwrt = await site.open({ lists: noting, expected: { 'base/Packages.gz': sha256(OPKG_INDEX) } });
    await ofOpenwrt.courier.ready(['vim']);
    const ofClient = await site.open({ lists: noting });
    await ofClient.courier.ready(['vim']);
    const moved = await site.open({ lists: noting, expected: { 'base/Packages.gz': sha256('an earlier one') } });
    await moved.courier.ready(['vim']);
    expect(read).toEqual([sha256(OPKG_INDEX), undefined, undefined]);
  });

  it('gets no package that differs from its index', async () => {
    const { courier, log } = await site.open();
    expect(await site.wget(courier, '/base/damaged_1.ipk')).toEqual({ code: 4, got: '' });
    expect(log.join()).toContain('not what the package index says');
    expect(await site.cachedNames()).not.toContain('damaged_1.ipk');
  });

  it.each([
    ['a page in place of an index', '/base/Packages.gz', '<html>secret of this machine</html>'],
    ['a page in place of a signature', '/base/Packages.sig', 'secret of this machine'],
  ])('does not get %s', async (_, path, content) => {
    site.files.set(path, content);
    const { courier } = await site.open();
    expect(await site.wget(courier, path)).toEqual({ code: 8, got: '' });
  });

  it('gets nothing through a redirection to another server without https', async () => {
    const other = createServer((_, response) => response.end(OPKG_INDEX));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      site.files.set('/base/Packages.gz', `-> http://127.0.0.1:${(other.address() as AddressInfo).port}/latest/meta-data`);
      const { courier, log } = await site.open();
      expect(await site.wget(courier, '/base/Packages.gz')).toEqual({ code: 8, got: '' });
      expect(log.join()).toContain('without https');
    } finally {
      other.close();
    }
  });

  it('follows a redirection to the same server', async () => {
    site.files.set('/base/Packages.gz', '-> /mirror/Packages.gz');
    site.files.set('/mirror/Packages.gz', OPKG_INDEX);
    const { courier } = await site.open();
    expect((await site.wget(courier, '/base/Packages.gz')).code).toBe(0);
  });
});

describe('the package cache', () => {
  const expected = { 'base/Packages.gz': sha256(OPKG_INDEX) };

  it('serves the next build without a request, including indexes', async () => {
    const first = await site.open({ expected });
    await site.wget(first.courier, '/base/vim_9+1_x86_64.ipk');
    expect(await site.cachedNames()).toEqual([BASE_INDEX, `${BASE_INDEX}.sig`, 'vim_9+1_x86_64.ipk']);
    site.requests = [];
    const { courier } = await site.open({ expected });
    expect((await site.wget(courier, '/base/Packages.gz')).got).toBe(OPKG_INDEX.toString('latin1'));
    expect((await site.wget(courier, '/base/Packages.sig')).got).toBe(SIGNATURE);
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).got).toBe(VIM_TEXT);
    expect(site.requests).toEqual([]);
  });

  it('keeps no unexpected index, and none of its packages', async () => {
    const { courier } = await site.open({ expected: { 'base/Packages.gz': '0'.repeat(64) } });
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await site.cachedNames()).toEqual([]);
  });

  it('keeps nothing of a build with repositories or keys of the client', async () => {
    const { courier } = await site.open({ expected, isCached: false });
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await site.cachedNames()).toEqual([]);
  });

  it('shares with a build that has repositories of the client only what the expected digests fix', async () => {
    const cached = { packages: site.cache(), key: 'inputs', pinnedOnly: true };
    const first = await site.open({ expected, cached });
    await site.wget(first.courier, '/base/vim_9+1_x86_64.ipk');
    await site.wget(first.courier, '/base/page_1.ipk');
    expect(await site.cachedNames()).toEqual([BASE_INDEX, 'vim_9+1_x86_64.ipk']);
    site.requests = [];
    const { courier } = await site.open({ expected, cached });
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).got).toBe(VIM_TEXT);
    expect(site.requests).toEqual(['/base/Packages.sig']);
  });

  it.each(['base.sig', 'vim_9-1_x86_64.ipk', 'dropbear_2024.86-r1_x86_64.ipk'])(
    'gets no file under %s, the name of a repository of the client',
    async (name) => {
      await (await site.open({ expected })).courier.ready(['vim']);
      const before = await site.cachedNames();
      const contents = () => Promise.all(before.map((one) => site.cache().read('inputs', one)));
      const had = await contents();
      await site.open({
        expected,
        cached: { packages: site.cache(), key: 'inputs', pinnedOnly: true },
        repositories: { text: `src/gz ${name} ${site.url}/base\n`, packageManager: 'opkg', upstreamUrl: site.url },
      });
      expect(await site.cachedNames()).toEqual(before);
      expect(await contents()).toEqual(had);
    },
  );

  it('gets no index under the name that a client gave its repository, which the next builds would meet', async () => {
    await site.open({
      expected,
      cached: { packages: site.cache(), key: 'inputs', pinnedOnly: true },
      repositories: { text: `src/gz dropbear_1_x86_64.ipk ${site.url}/base\n`, packageManager: 'opkg', upstreamUrl: site.url },
    });
    expect(await site.cachedNames()).toEqual([BASE_INDEX]);
    const dl = join(site.directory, 'tree/dl');
    expect(await site.cache().seed('inputs', dl, undefined)).toBe(0);
  });

  it('gives no file of another form than it should have', async () => {
    await site.open({ expected });
    await site.cache().put('inputs', `${BASE_INDEX}.sig`, OPKG_INDEX);
    await site.cache().put('inputs', 'page_1.ipk', Buffer.from('secret of this machine'));
    const { courier } = await site.open({ expected });
    expect(await site.wget(courier, '/base/Packages.sig')).toEqual({ code: 0, got: SIGNATURE });
    expect((await site.wget(courier, '/base/page_1.ipk')).code).toBe(8);
  });

  it.each([
    ['of an index that is not expected', {}, 'opkg'],
    ['of a repository of the client', { ['CLIENT/base/Packages.gz']: sha256(OPKG_INDEX) }, 'opkg'],
    ['of apk', { 'apk/packages.adb': sha256(APK_INDEX) }, 'apk'],
  ] as const)('shares no package %s with such a build', async (_, digests, packageManager) => {
    const ours = Object.fromEntries(Object.entries(digests).map(([source, digest]) => [source.replace('CLIENT', site.url), digest]));
    const text = packageManager === 'apk' ? `${site.url}/apk/packages.adb\n` : `src/gz base ${site.url}/base\n`;
    const { courier } = await site.open({
      expected: ours,
      cached: { packages: site.cache(), key: 'inputs', pinnedOnly: true },
      repositories: { text, packageManager, upstreamUrl: packageManager === 'apk' ? site.url : 'http://elsewhere.example' },
    });
    expect((await site.wget(courier, packageManager === 'apk' ? '/apk/vim-9-r1.apk' : '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect((await site.cachedNames()).filter((name) => name.endsWith('pk'))).toEqual([]);
  });

  it('is bypassed when it is damaged', async () => {
    await site.open({ expected });
    await site.cache().put('inputs', BASE_INDEX, Buffer.from('damaged'));
    await site.cache().put('inputs', 'vim_9+1_x86_64.ipk', Buffer.from('damaged'));
    const { courier } = await site.open({ expected });
    expect((await site.wget(courier, '/base/Packages.gz')).got).toBe(OPKG_INDEX.toString('latin1'));
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).got).toBe(VIM_TEXT);
    expect((await site.cache().read('inputs', 'vim_9+1_x86_64.ipk'))?.toString('latin1')).toBe(VIM_TEXT);
  });
});

describe('the stand-in for wget', () => {
  it('exits as wget does, and a failed file is tried again for the next command', async () => {
    site.files.delete('/base/Packages.gz');
    const { courier, log } = await site.open();
    expect(await site.wget(courier, '/base/Packages.gz')).toEqual({ code: 8, got: '' });
    expect(log.join()).toContain('HTTP 404');
    site.files.set('/base/Packages.gz', OPKG_INDEX);
    await courier.ready();
    expect((await site.wget(courier, '/base/Packages.gz')).code).toBe(0);
  });

  it('gets its answer even after lines that are not questions', async () => {
    const { courier } = await site.open();
    const lines = ['', 'x', '../../up http://x/', `${'a'.repeat(100_000)}`, '00000000-0000-0000-0000-000000000000 file:///etc/passwd'];
    await promisify(execFile)('sh', ['-c', `printf '%s\\n' "$@" > ${courier.directory}/ask`, 'sh', ...lines]);
    expect((await site.wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await readdir(join(courier.directory, 'replies'))).toHaveLength(2);
  });

  it('calls the machine’s own wget outside of a build', async () => {
    const script = join(site.directory, 'tree/staging_dir/host/bin/wget');
    const said = await promisify(execFile)('sh', [script, '--version'], { env: { PATH: '/usr/bin:/bin' } }).catch(
      (error: unknown) => error,
    );
    expect(said).toMatchObject((await findTool('wget')) === undefined ? { code: 127 } : { stdout: expect.stringContaining('GNU Wget') });
  });
});
