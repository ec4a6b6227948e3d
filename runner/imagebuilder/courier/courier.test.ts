import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { steadyFetch } from '#adapters/upstream/steady-fetch.ts';
import { writeApkIndex } from '#core/catalogue/testing/write-apk-index.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { packageCache } from '../cache/package-cache.ts';
import { findTool } from '../sandbox/host-tools.ts';
import { type Courier, openCourier } from './courier.ts';
import { COURIER, placeWget } from './wget-stand-in.ts';

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

const VIM = Buffer.from('what vim is');
const OPKG_INDEX = gzipSync(
  `Package: vim\nFilename: vim_9+1_x86_64.ipk\nSize: ${VIM.length}\nSHA256sum: ${sha256(VIM)}\n\n` +
    `Package: damaged\nFilename: damaged_1.ipk\nSHA256sum: ${sha256('as it should be')}\n\n`,
);
const SIGNATURE = 'untrusted comment: signed\nUldTfQ==\n';
const identity = sha256('vim');
const APK_INDEX = Buffer.concat([
  Buffer.from('ADBd'),
  deflateRawSync(writeApkIndex([{ name: 'vim', version: '9-r1', arch: 'x86_64', provides: [], tags: [], identity }])),
]);

let directory: string;
let upstream: Server;
let url: string;
let files: Map<string, Buffer | string>;
let requests: string[];
let couriers: Courier[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'asu-courier-'));
  await mkdir(join(directory, 'tree'));
  await mkdir(join(directory, 'cache'));
  await placeWget(join(directory, 'tree'));
  couriers = [];
  requests = [];
  files = new Map<string, Buffer | string>([
    ['/base/Packages.gz', OPKG_INDEX],
    ['/base/Packages.sig', SIGNATURE],
    ['/base/vim_9+1_x86_64.ipk', VIM],
    ['/base/damaged_1.ipk', 'as it should not be'],
    ['/apk/packages.adb', APK_INDEX],
    ['/apk/vim-9-r1.apk', VIM],
    ['/secret', 'a secret of this machine'],
  ]);
  upstream = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    requests.push(path);
    const content = files.get(path);
    if (typeof content === 'string' && content.startsWith('-> ')) response.writeHead(302, { location: content.slice(3) }).end();
    else if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const courier of couriers) courier.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  await rm(directory, { recursive: true });
});

const cache = () => packageCache(join(directory, 'cache'), 1e9, { remove: removeTree });
const REPOSITORIES = { opkg: () => `src/gz base ${url}/base\nsrc imagebuilder file:packages\n`, apk: () => `${url}/apk/packages.adb\n` };

async function open({ packageManager = 'opkg' as 'opkg' | 'apk', expected = {}, isKept = true } = {}) {
  const log: string[] = [];
  const courier = await openCourier({
    directory: join(directory, `courier-${couriers.length}`),
    repositories: { text: REPOSITORIES[packageManager](), packageManager, upstreamUrl: url },
    expected,
    kept: isKept ? { packages: cache(), key: 'inputs' } : undefined,
    log: (line) => log.push(line),
    fetch: steadyFetch,
    attempts: 2,
    backoffMs: 1,
    signal: new AbortController().signal,
  });
  couriers.push(courier);
  await courier.ready();
  return { courier, log };
}

/** As opkg calls it, or apk (`-O -`): its exit code and what it wrote. */
async function wget({ directory: asked }: Courier, path: string, out = join(directory, 'out')): Promise<{ code: number; got: string }> {
  const argv = [join(directory, 'tree/staging_dir/host/bin/wget'), '-q', '--timeout', '30', '-O', out, `${url}${path}`];
  const { code, stdout } = await promisify(execFile)('sh', argv, { env: { PATH: '/usr/bin:/bin', [COURIER]: asked } }).then(
    (done) => ({ code: 0, ...done }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code, got: code !== 0 ? '' : out === '-' ? stdout : await readFile(out, 'latin1') };
}

const kept = async () => (await readdir(join(directory, 'cache', 'inputs')).catch(() => [])).sort();

describe('what a build can have', () => {
  it('are the indexes of its repositories, fetched beforehand, and the packages that they list', async () => {
    const { courier, log } = await open();
    expect(requests).toEqual(['/base/Packages.gz', '/base/Packages.sig']);
    expect(await wget(courier, '/base/Packages.gz')).toEqual({ code: 0, got: OPKG_INDEX.toString('latin1') });
    expect(await wget(courier, '/base/Packages.sig')).toEqual({ code: 0, got: SIGNATURE });
    // opkg writes some characters in hexadecimal digits.
    expect(await wget(courier, '/base/vim_9%2b1_x86_64.ipk')).toEqual({ code: 0, got: VIM.toString() });
    expect(requests).toHaveLength(3);
    expect(courier.delivered()).toEqual(new Map([['base/Packages.gz', sha256(OPKG_INDEX)]]));
    expect(log).toEqual([]);
  });

  it('are what apk asks for, too', async () => {
    const { courier } = await open({ packageManager: 'apk' });
    expect(await wget(courier, '/apk/packages.adb', '-')).toEqual({ code: 0, got: APK_INDEX.toString() });
    expect(await wget(courier, '/apk/vim-9-r1.apk', '-')).toEqual({ code: 0, got: VIM.toString() });
    expect(await kept()).toEqual([`vim-9-r1.${identity.slice(0, 8)}.apk`]);
  });

  it.each(['/secret', '/base/../secret', '/base/Packages', '/base/vim_9+1_x86_64.ipk?x=1', '/base/other.ipk', '/base/'])(
    'is not %s, though it is there',
    async (path) => {
      const { courier, log } = await open();
      for (const other of ['/base/Packages', '/base/other.ipk', '/base/']) files.set(other, 'there');
      expect(await wget(courier, path)).toEqual({ code: 8, got: '' });
      expect(requests).toEqual(['/base/Packages.gz', '/base/Packages.sig']);
      expect(log.join()).toContain('no repository of this build lists it');
    },
  );

  it('is no package that is not what the index says', async () => {
    const { courier, log } = await open();
    expect(await wget(courier, '/base/damaged_1.ipk')).toEqual({ code: 4, got: '' });
    expect(log.join()).toContain('not what the package index says');
    expect(await kept()).not.toContain('damaged_1.ipk');
  });

  it.each([
    ['a page', '/base/Packages.gz', '<html>secret of this machine</html>'],
    ['a page in place of a signature', '/base/Packages.sig', 'secret of this machine'],
  ])('is not %s', async (_, path, content) => {
    files.set(path, content);
    const { courier } = await open();
    expect(await wget(courier, path)).toEqual({ code: 8, got: '' });
  });

  it('is not what another server without https is led to', async () => {
    const other = createServer((_, response) => response.end(OPKG_INDEX));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      files.set('/base/Packages.gz', `-> http://127.0.0.1:${(other.address() as AddressInfo).port}/latest/meta-data`);
      const { courier, log } = await open();
      expect(await wget(courier, '/base/Packages.gz')).toEqual({ code: 8, got: '' });
      expect(log.join()).toContain('without https');
    } finally {
      other.close();
    }
  });

  it('is what the same server leads to', async () => {
    files.set('/base/Packages.gz', '-> /mirror/Packages.gz');
    files.set('/mirror/Packages.gz', OPKG_INDEX);
    const { courier } = await open();
    expect((await wget(courier, '/base/Packages.gz')).code).toBe(0);
  });
});

describe('what is kept', () => {
  const expected = { 'base/Packages.gz': sha256(OPKG_INDEX) };

  it('serves the next build without a request, indexes too', async () => {
    const first = await open({ expected });
    await wget(first.courier, '/base/vim_9+1_x86_64.ipk');
    expect(await kept()).toEqual(['base', 'base.sig', 'vim_9+1_x86_64.ipk']);
    requests = [];
    const { courier } = await open({ expected });
    expect((await wget(courier, '/base/Packages.gz')).got).toBe(OPKG_INDEX.toString('latin1'));
    expect((await wget(courier, '/base/Packages.sig')).got).toBe(SIGNATURE);
    expect((await wget(courier, '/base/vim_9+1_x86_64.ipk')).got).toBe(VIM.toString());
    expect(requests).toEqual([]);
  });

  it('is nothing of an index that is not the expected one, nor of its packages', async () => {
    const { courier } = await open({ expected: { 'base/Packages.gz': '0'.repeat(64) } });
    expect((await wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await kept()).toEqual([]);
  });

  it('is nothing of a build with repositories or keys of its client’s', async () => {
    const { courier } = await open({ expected, isKept: false });
    expect((await wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await kept()).toEqual([]);
  });

  it('is fetched again where it is damaged', async () => {
    await open({ expected });
    await cache().put('inputs', 'base', Buffer.from('damaged'));
    await cache().put('inputs', 'vim_9+1_x86_64.ipk', Buffer.from('damaged'));
    const { courier } = await open({ expected });
    expect((await wget(courier, '/base/Packages.gz')).got).toBe(OPKG_INDEX.toString('latin1'));
    expect((await wget(courier, '/base/vim_9+1_x86_64.ipk')).got).toBe(VIM.toString());
    expect((await cache().read('inputs', 'vim_9+1_x86_64.ipk'))?.toString()).toBe(VIM.toString());
  });
});

describe('trouble', () => {
  it('is told by the exit codes of wget, and tried again for the next command', async () => {
    files.delete('/base/Packages.gz');
    const { courier, log } = await open();
    expect(await wget(courier, '/base/Packages.gz')).toEqual({ code: 8, got: '' });
    expect(log.join()).toContain('HTTP 404');
    files.set('/base/Packages.gz', OPKG_INDEX);
    await courier.ready();
    expect((await wget(courier, '/base/Packages.gz')).code).toBe(0);
  });

  it('is not made by what is no question', async () => {
    const { courier } = await open();
    const lines = ['', 'x', '../../up http://x/', `${'a'.repeat(100_000)}`, '00000000-0000-0000-0000-000000000000 file:///etc/passwd'];
    await promisify(execFile)('sh', ['-c', `printf '%s\\n' "$@" > ${courier.directory}/ask`, 'sh', ...lines]);
    expect((await wget(courier, '/base/vim_9+1_x86_64.ipk')).code).toBe(0);
    expect(await readdir(join(courier.directory, 'replies'))).toHaveLength(2);
  });

  it('outside of a build the machine’s own wget is called', async () => {
    const script = join(directory, 'tree/staging_dir/host/bin/wget');
    const said = await promisify(execFile)('sh', [script, '--version'], { env: { PATH: '/usr/bin:/bin' } }).catch(
      (error: unknown) => error,
    );
    expect(said).toMatchObject((await findTool('wget')) === undefined ? { code: 127 } : { stdout: expect.stringContaining('GNU Wget') });
  });
});
