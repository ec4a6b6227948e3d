import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CourierSite, courierSite, OPKG_INDEX, VIM } from '#test/support/courier-site.ts';
import type { Courier } from './courier.ts';

/** The package that the scripts of these builds ask for. They try to misuse the courier. */
const PACKAGE = '/base/vim_9+1_x86_64.ipk';
let site: CourierSite;
beforeEach(async () => {
  site = await courierSite();
});
afterEach(() => site.close());

const say = (courier: Courier, script: string) =>
  promisify(execFile)('bash', ['-c', script], { env: { PATH: '/usr/bin:/bin', ask: `${courier.directory}/ask`, url: site.url } });

const brokenBy = (courier: Courier): Promise<unknown> =>
  new Promise((resolve) => {
    if (courier.broken.aborted) resolve(courier.broken.reason);
    courier.broken.addEventListener('abort', () => resolve(courier.broken.reason));
  });

describe('a build that floods the pipe', () => {
  it.each([
    ['with lines that are not questions', 'yes 2>/dev/null > "$ask" || true'],
    ['with a line without an end', 'tr "\\0" x < /dev/zero 2>/dev/null > "$ask" || true'],
    ['with questions', 'yes "00000000-0000-0000-0000-000000000000 $url/base/nothing.ipk" 2>/dev/null > "$ask" || true'],
  ])('%s is ended', async (_, script) => {
    const { courier } = await site.open();
    const flood = say(courier, script);
    expect(await brokenBy(courier)).toMatchObject({ isFinal: true, message: expect.stringContaining('more files than any build needs') });
    // The pipe has no other end now, so the script ends.
    await flood;
    expect(site.requests).toEqual(['/base/Packages.gz', '/base/Packages.sig']);
  });
});

describe('a build that asks', () => {
  it('from many processes at once gets every answer', async () => {
    const { courier } = await site.open();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => site.wget(courier, PACKAGE, join(site.directory, `out-${index}`))),
    );
    expect(answers).toEqual(Array.from({ length: 12 }, () => ({ code: 0, got: VIM.toString('latin1') })));
  });

  it('gets its answer while another of its processes holds the pipe open', async () => {
    const { courier } = await site.open();
    const holder = execFile('sh', ['-c', `exec 3> "${courier.directory}/ask"; exec sleep 60`]);
    try {
      expect((await site.wget(courier, PACKAGE)).code).toBe(0);
    } finally {
      holder.kill();
    }
  });

  it('gets no more than the limit on packages, whatever size its index claims', async () => {
    const { courier, log } = await site.open();
    let sent = 0;
    site.files.set('/base/endless_1.ipk', (response) => {
      const part = Buffer.alloc(1024 * 1024);
      VIM.copy(part);
      const send = () => {
        while (!response.destroyed && response.write(part)) sent++;
      };
      response.on('drain', send);
      send();
    });
    expect((await site.wget(courier, '/base/endless_1.ipk')).code).toBe(8);
    expect(log.join()).toContain('longer than');
    expect(sent).toBeLessThan(200);
  });

  it('gets no listed file that is not a package', async () => {
    const { courier, log } = await site.open();
    expect(await site.wget(courier, '/base/page_1.ipk')).toEqual({ code: 8, got: '' });
    expect(log.join()).toContain('it is no package');
  });

  it.each([
    '/base/../base/../secret',
    '/base/%2e%2e/secret',
    '/base/..%2fsecret',
    '/base/%252e%252e/secret',
    '//secret',
    '/base//../secret',
  ])('for %s does not get the secret', async (path) => {
    const { courier } = await site.open();
    expect(await site.wget(courier, path)).toEqual({ code: 8, got: '' });
    expect(site.requests).not.toContain('/secret');
  });

  it('uses a pipe that is closed to the users of other builds', async () => {
    const uid = process.getuid?.() === 0 ? 59_999 : undefined;
    const { courier } = await site.open({ uid });
    const pipe = await stat(join(courier.directory, 'ask'));
    expect({ mode: pipe.mode & 0o777, uid: pipe.uid }).toEqual({ mode: 0o600, uid: uid ?? process.getuid?.() });
  });
});

describe('repositories', () => {
  it('do no harm when one is at the address of another’s index', async () => {
    site.files.set('/base/Packages.gz/Packages.gz', OPKG_INDEX);
    const text = `src/gz base ${site.url}/base\nsrc/gz below ${site.url}/base/Packages.gz\n`;
    const { courier } = await site.open({ repositories: { text, packageManager: 'opkg', upstreamUrl: site.url } });
    expect((await site.wget(courier, '/base/Packages.gz')).code).toBe(0);
    expect((await site.wget(courier, '/base/Packages.gz/Packages.gz')).code).toBe(0);
  });
});

describe('a build with our own uid', () => {
  it('cannot make us write where its links lead', async () => {
    const { courier } = await site.open();
    const elsewhere = join(site.directory, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'file'), 'ours');
    const id = '01234567-89ab-cdef-0123-456789abcdef';
    await symlink(join(elsewhere, 'file'), join(courier.directory, 'replies', `${id}.file`));
    await symlink(join(elsewhere, 'new'), join(courier.directory, 'replies', id));
    await say(courier, `echo "${id} $url${PACKAGE}" > "$ask"`);
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
    await rm(join(courier.directory, 'replies'), { recursive: true });
    await symlink(elsewhere, join(courier.directory, 'replies'));
    await say(courier, `echo "${id} $url${PACKAGE}" > "$ask"`);
    await brokenBy(courier);
    expect(await readdir(elsewhere)).toEqual(['file']);
  });
});
