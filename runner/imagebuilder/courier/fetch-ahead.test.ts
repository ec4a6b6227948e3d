import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CourierSite, courierSite, sha256 } from '#test/support/courier-site.ts';

let site: CourierSite;
beforeEach(async () => {
  site = await courierSite();
});
afterEach(() => site.close());

const content = (name: string) => gzipSync(`what ${name} is`);

/** Offers packages that need each other, each with its file. */
function offer(packages: Readonly<Record<string, string[]>>, fields: (name: string) => string = () => '') {
  const stanzas = Object.entries(packages).map(([name, depends]) => {
    site.files.set(`/base/${name}_1.ipk`, content(name));
    return `Package: ${name}\nDepends: ${depends.join(', ')}\nFilename: ${name}_1.ipk\nSHA256sum: ${sha256(content(name))}\n${fields(name)}\n`;
  });
  site.files.set('/base/Packages.gz', gzipSync(stanzas.join('\n')));
}

const dl = () => readdir(join(site.directory, 'tree/dl')).catch(() => []);
const asked = () => site.requests.filter((path) => path.endsWith('pk')).sort();

describe('the packages that a command installs', () => {
  it('are in dl before it runs, with those that they need, and nothing else is', async () => {
    offer({ vim: ['libc', 'ncurses'], ncurses: [], other: [] });
    const { courier } = await site.open();
    await courier.ready(['vim', 'unknown']);
    expect((await dl()).sort()).toEqual(['ncurses_1.ipk', 'vim_1.ipk']);
    expect(await readFile(join(site.directory, 'tree/dl/vim_1.ipk'))).toEqual(content('vim'));
    expect(await site.cachedNames()).toEqual(['ncurses_1.ipk', 'vim_1.ipk']);
  });

  it('are fetched once', async () => {
    offer({ vim: [] });
    const { courier } = await site.open();
    await courier.ready(['vim']);
    await courier.ready(['vim']);
    expect(asked()).toEqual(['/base/vim_1.ipk']);
  });

  it('are there under the names that apk looks for', async () => {
    const { courier } = await site.open({ packageManager: 'apk' });
    await courier.ready(['vim']);
    expect(await dl()).toEqual(await site.cachedNames());
    expect(await dl()).toEqual([expect.stringMatching(/^vim-9-r1\.[0-9a-f]{8}\.apk$/)]);
  });

  it('come several at a time', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
    offer(Object.fromEntries(names.map((name) => [name, []])));
    let open = 0;
    let most = 0;
    for (const name of names)
      site.files.set(`/base/${name}_1.ipk`, (response) => {
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          response.end(content(name));
        }, 50);
      });
    const { courier } = await site.open();
    await courier.ready(names);
    expect(await dl()).toHaveLength(12);
    expect(most).toBe(6);
  });

  it('are left to the build where their index has no digest of them, or they are longer than 16 MB', async () => {
    const long = Buffer.alloc(17 * 1024 * 1024);
    content('long').copy(long);
    site.files.set('/base/long_1.ipk', long);
    site.files.set('/base/bare_1.ipk', content('bare'));
    site.files.set(
      '/base/Packages.gz',
      gzipSync(`Package: long\nFilename: long_1.ipk\nSHA256sum: ${sha256(long)}\n\nPackage: bare\nFilename: bare_1.ipk\n`),
    );
    const { courier } = await site.open();
    await courier.ready(['long', 'bare']);
    expect(await dl()).toEqual([]);
    expect((await site.wget(courier, '/base/long_1.ipk')).code).toBe(0);
    expect((await site.wget(courier, '/base/bare_1.ipk')).code).toBe(0);
  });

  it('are left to the build if they are longer, even if they are in the package cache', async () => {
    const long = Buffer.alloc(17 * 1024 * 1024);
    content('long').copy(long);
    site.files.set('/base/long_1.ipk', long);
    site.files.set('/base/Packages.gz', gzipSync(`Package: long\nFilename: long_1.ipk\nSHA256sum: ${sha256(long)}\n`));
    await site.cache().put('inputs', 'long_1.ipk', long);
    const { courier } = await site.open();
    await courier.ready(['long']);
    expect(await dl()).toEqual([]);
    expect((await site.wget(courier, '/base/long_1.ipk')).code).toBe(0);
    expect(asked()).toEqual([]);
  });

  it('are left out, and no build fails, where they differ from the index or cannot be had', async () => {
    offer({ vim: [], gone: [], damaged: [] });
    site.files.delete('/base/gone_1.ipk');
    site.files.set('/base/damaged_1.ipk', content('something else'));
    const { courier } = await site.open();
    await courier.ready(['gone', 'vim', 'damaged']);
    expect(await dl()).toEqual(['vim_1.ipk']);
  });

  it('are no longer fetched, and nothing more is written, when the build is cancelled', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `p${at}`);
    offer(Object.fromEntries(names.map((name) => [name, []])));
    const cancel = new AbortController();
    for (const name of names.slice(6))
      site.files.set(`/base/${name}_1.ipk`, (response) => {
        response.write(content(name).subarray(0, 4));
        cancel.abort(new Error('cancelled'));
      });
    const { courier } = await site.open({ signal: cancel.signal });
    await expect(courier.ready(names)).rejects.toThrow('cancelled');
    const there = await dl();
    await courier.close();
    expect(await dl()).toEqual(there);
    expect(there.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(asked().length).toBeLessThanOrEqual(12);
  });

  it('are no longer fetched when the network has failed, and a build that asks for one learns it at once', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `p${at}`);
    offer(Object.fromEntries(names.map((name) => [name, []])));
    for (const name of names) site.files.set(`/base/${name}_1.ipk`, (response) => response.destroy());
    const { courier } = await site.open();
    await courier.ready(names);
    expect(asked().length).toBeLessThanOrEqual(6 * 2);
    const before = asked().length;
    expect((await site.wget(courier, '/base/p0_1.ipk')).code).toBe(4);
    expect(asked()).toHaveLength(before);
  });
});

describe('a server that does not answer', () => {
  const names = Array.from({ length: 30 }, (_, at) => `p${at}`);
  beforeEach(() => offer(Object.fromEntries(names.map((name) => [name, []]))));
  const hang = (some: readonly string[]) => {
    for (const name of some) site.files.set(`/base/${name}_1.ipk`, () => undefined);
  };

  it('is asked for a few files, not for each that the build wants', async () => {
    hang(names);
    const { courier, log } = await site.open({ stallMs: 200 });
    await courier.ready(names);
    const ahead = asked().length;
    for (const name of names.slice(0, 12)) expect((await site.wget(courier, `/base/${name}_1.ipk`)).code).toBe(4);
    expect(asked()).toHaveLength(ahead);
    expect(courier.wasCutOff()).toBe(true);
    expect(log.join()).toContain('has failed to deliver 6 other files');
  });

  it('for one file only is asked for the others', async () => {
    hang(['p0']);
    const { courier } = await site.open({ stallMs: 200 });
    await courier.ready(['p0']);
    for (const name of names.slice(1, 4)) expect((await site.wget(courier, `/base/${name}_1.ipk`)).code).toBe(0);
  });

  it('is asked again for the next command', async () => {
    hang(names);
    const { courier } = await site.open({ stallMs: 200 });
    await courier.ready(names);
    offer(Object.fromEntries(names.map((name) => [name, []])));
    await courier.ready(['p29']);
    expect(await dl()).toEqual(['p29_1.ipk']);
  });

  it('keeps no build from what is in the package cache', async () => {
    const first = await site.open();
    await first.courier.ready(['p20']);
    await rm(join(site.directory, 'tree/dl'), { recursive: true });
    hang(names);
    const { courier } = await site.open({ stallMs: 200 });
    await courier.ready(names.slice(0, 6));
    expect((await site.wget(courier, '/base/p20_1.ipk')).code).toBe(0);
  });
});

it('a package that is not what its index says keeps no other from being fetched in advance', async () => {
  const names = Array.from({ length: 30 }, (_, at) => `p${at}`);
  offer(Object.fromEntries(names.map((name) => [name, []])));
  site.files.set('/base/p0_1.ipk', content('something else'));
  const { courier } = await site.open();
  await courier.ready(names);
  expect(await dl()).toHaveLength(29);
  expect((await site.wget(courier, '/base/p0_1.ipk')).code).toBe(4);
  expect(courier.wasCutOff()).toBe(false);
});

describe('a build whose earlier command changed its dl', () => {
  const elsewhere = () => join(site.directory, 'elsewhere');
  beforeEach(async () => {
    offer({ vim: [], nano: [] });
    await mkdir(elsewhere());
    await writeFile(join(elsewhere(), 'vim_1.ipk'), 'ours');
  });

  it('into a link gets nothing there', async () => {
    await symlink(elsewhere(), join(site.directory, 'tree/dl'));
    const { courier } = await site.open();
    await courier.ready(['vim', 'nano']);
    expect(await readdir(elsewhere())).toEqual(['vim_1.ipk']);
    expect(await readFile(join(elsewhere(), 'vim_1.ipk'), 'utf8')).toBe('ours');
  });

  it('by links and directories in place of packages gets what can be put there', async () => {
    const { courier } = await site.open();
    await courier.ready(['nano']);
    await rm(join(site.directory, 'tree/dl/nano_1.ipk'));
    await mkdir(join(site.directory, 'tree/dl/nano_1.ipk'));
    await symlink(join(elsewhere(), 'new'), join(site.directory, 'tree/dl/vim_1.ipk'));
    await courier.ready(['vim', 'nano']);
    expect(await readdir(elsewhere())).toEqual(['vim_1.ipk']);
    expect((await site.wget(courier, '/base/nano_1.ipk')).code).toBe(0);
  });
});
