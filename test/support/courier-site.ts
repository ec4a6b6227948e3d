import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { fetchByNodeHttp, fetchPubliclyThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { writeApkIndex } from '#core/catalogue/testing/write-apk-index.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { type PackageCache, packageCache } from '#runner/imagebuilder/cache/package-cache.ts';
import { type Courier, type CourierOptions, openCourier } from '#runner/imagebuilder/courier/courier.ts';
import { COURIER, placeWget } from '#runner/imagebuilder/courier/wget-stand-in.ts';

export const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

export const VIM = gzipSync('what vim is');
export const OPKG_INDEX = gzipSync(
  `Package: vim\nFilename: vim_9+1_x86_64.ipk\nSize: ${VIM.length}\nSHA256sum: ${sha256(VIM)}\n\n` +
    `Package: damaged\nFilename: damaged_1.ipk\nSHA256sum: ${sha256('as it should be')}\n\n` +
    'Package: page\nFilename: page_1.ipk\n\n' +
    'Package: endless\nFilename: endless_1.ipk\nSize: 99999999999\n\n',
);
export const SIGNATURE = 'untrusted comment: signed\nUldTfQ==\n';
export const IDENTITY = sha256('vim');
export const APK_INDEX = Buffer.concat([
  Buffer.from('ADBd'),
  deflateRawSync(writeApkIndex([{ name: 'vim', version: '9-r1', arch: 'x86_64', provides: [], tags: [], identity: IDENTITY }])),
]);

type Answer = Buffer | string | ((response: ServerResponse) => void);

/** A feed of opkg, one of apk, and something that is in neither; a courier for each; and the stand-in, called as package managers do. */
export interface CourierSite {
  readonly directory: string;
  readonly url: string;
  /** What is at each path; `-> URL` leads there. */
  readonly files: Map<string, Answer>;
  /** Paths that were asked for. */
  requests: string[];
  cache(): PackageCache;
  /** Returns the names of the cached files. */
  cachedNames(): Promise<string[]>;
  open(options?: Partial<CourierOptions> & { packageManager?: 'opkg' | 'apk'; isCached?: boolean }): Promise<Open>;
  /** Exit code and output of the stand-in. */
  wget(courier: Courier, path: string, out?: string): Promise<{ code: number; got: string }>;
  close(): Promise<void>;
}

export interface Open {
  readonly courier: Courier;
  readonly log: string[];
}

export async function courierSite(): Promise<CourierSite> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-courier-'));
  await mkdir(join(directory, 'tree'));
  await mkdir(join(directory, 'cache'));
  await placeWget(join(directory, 'tree'));
  const couriers: Courier[] = [];
  const files = new Map<string, Answer>([
    ['/base/Packages.gz', OPKG_INDEX],
    ['/base/Packages.sig', SIGNATURE],
    ['/base/vim_9+1_x86_64.ipk', VIM],
    ['/base/damaged_1.ipk', gzipSync('as it should not be')],
    ['/base/page_1.ipk', '{"AccessKeyId":"secret of this machine"}'],
    ['/apk/packages.adb', APK_INDEX],
    ['/apk/vim-9-r1.apk', VIM],
    ['/secret', 'a secret of this machine'],
  ]);
  const upstream = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    site.requests.push(path);
    const content = files.get(path);
    if (typeof content === 'function') content(response);
    else if (typeof content === 'string' && content.startsWith('-> ')) response.writeHead(302, { location: content.slice(3) }).end();
    else if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const texts = { opkg: `src/gz base ${url}/base\nsrc imagebuilder file:packages\n`, apk: `${url}/apk/packages.adb\n` };
  const cache = () => packageCache(join(directory, 'cache'), 1e9, { remove: removeTree });

  const site: CourierSite = {
    directory,
    url,
    files,
    requests: [],
    cache,
    cachedNames: async () => (await readdir(join(directory, 'cache', 'inputs')).catch(() => [])).sort(),
    open: async ({ packageManager = 'opkg', isCached = true, ...options } = {}) => {
      const log: string[] = [];
      const courier = await openCourier({
        directory: join(directory, `courier-${couriers.length}`),
        uid: undefined,
        downloads: { tree: join(directory, 'tree'), uid: undefined },
        repositories: { text: texts[packageManager], packageManager, upstreamUrl: url },
        expected: {},
        cached: isCached ? { packages: cache(), key: 'inputs' } : undefined,
        log: (line) => log.push(line),
        fetch: fetchByNodeHttp,
        fetchPublicly: fetchPubliclyThrough({ direct: [] }),
        attempts: 2,
        backoffMs: 1,
        stallMs: 5_000,
        deadline: performance.now() + 60_000,
        signal: new AbortController().signal,
        ...options,
      });
      couriers.push(courier);
      await courier.ready();
      return { courier, log };
    },
    wget: async ({ directory: asked }, path, out = join(directory, 'out')) => {
      const argv = [join(directory, 'tree/staging_dir/host/bin/wget'), '-q', '--timeout', '30', '-O', out, `${url}${path}`];
      const { code, stdout } = await promisify(execFile)('sh', argv, {
        env: { PATH: '/usr/bin:/bin', [COURIER]: asked },
        encoding: 'latin1',
      }).then(
        (done) => ({ code: 0, ...done }),
        (error: { code: number; stdout: string }) => error,
      );
      return { code, got: code !== 0 ? '' : out === '-' ? stdout : await readFile(out, 'latin1') };
    },
    close: async () => {
      await Promise.all(couriers.map((courier) => courier.close()));
      upstream.closeAllConnections();
      await new Promise((resolve) => upstream.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
  return site;
}
