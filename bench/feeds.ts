import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { report } from './machine.ts';

/**
 * Measures how reading a target and its feeds affects other requests: the longest time for which the process answers
 * none, and its memory. It runs once with indexes of OpenWrt's size and once with the largest that the server accepts.
 * `npm run bench:feeds`.
 */
interface World {
  readonly name: string;
  readonly packagesPerFeed: number;
  readonly bytesPerPackage: number;
}

const FEEDS = ['base', 'luci', 'packages', 'routing', 'telephony'];
const WORLDS: readonly World[] = [
  { name: 'real', packagesPerFeed: 2_200, bytesPerPackage: 600 },
  { name: 'largest', packagesPerFeed: 9_000, bytesPerPackage: 3_500 },
];

function filesOf({ packagesPerFeed, bytesPerPackage }: World): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const put = (path: string, body: string) => files.set(path, Buffer.from(body));
  put('/.versions.json', JSON.stringify({ versions_list: ['24.10.2'] }));
  put('/releases/24.10.2/.targets.json', JSON.stringify({ 'x86/64': 'x86_64' }));
  const target = '/releases/24.10.2/targets/x86/64';
  const image = {
    filesystem: 'squashfs',
    name: 'openwrt-x86-64-generic-squashfs-combined.img.gz',
    sha256: 'a'.repeat(64),
    type: 'combined',
  };
  const profile = {
    device_packages: ['a', 'b', 'c'],
    image_prefix: 'openwrt',
    images: [image, image, image],
    supported_devices: ['x'],
    titles: [],
  };
  const profiles = Object.fromEntries(Array.from({ length: packagesPerFeed / 5 }, (_, index) => [`device-${index}`, profile]));
  put(`${target}/profiles.json`, JSON.stringify({ arch_packages: 'x86_64', version_code: 'r1-abc', default_packages: ['a'], profiles }));
  const directories = [`${target}/packages`, ...FEEDS.map((feed) => `/releases/24.10.2/packages/x86_64/${feed}`)];
  put('/releases/24.10.2/packages/x86_64/feeds.conf', FEEDS.map((feed) => `src-git ${feed} https://a.example\n`).join(''));
  for (const [index, directory] of directories.entries()) {
    const names = Array.from({ length: packagesPerFeed }, (_, number) => `package-${index}-${number}`);
    put(
      `${directory}/index.json`,
      JSON.stringify({ architecture: 'x86_64', packages: Object.fromEntries(names.map((name) => [name, '1.2.3-r1'])) }),
    );
    const description = ` Words that nobody reads, ${index}, and more of them.\n`.repeat(Math.ceil(bytesPerPackage / 50));
    const packages = names.map(
      (name) =>
        `Package: ${name}\nVersion: 1.2.3-r1\nDepends: libc, libubox20240329\nProvides: ${name}-any\nArchitecture: x86_64\nDescription: x\n${description}\n`,
    );
    files.set(`${directory}/Packages.gz`, gzipSync(packages.join('')));
  }
  return files;
}

function serve(world: World): void {
  const files = filesOf(world);
  const server = createServer((request, response) => {
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Length': body?.length ?? 0 }).end(body);
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

/**
 * Measures the longest turn of the event loop, in processor time so that other work on the machine does not count, and
 * the memory in use between turns.
 */
function turnTimes() {
  let isOver = false;
  let longestMs = 0;
  let mostBytes = 0;
  let before = process.threadCpuUsage();
  const turn = () => {
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    mostBytes = Math.max(mostBytes, heapUsed + arrayBuffers);
    before = process.threadCpuUsage();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isOver = true;
      return { longestMs, mostBytes };
    },
  };
}

async function measure(world: World): Promise<void> {
  const upstream = new Worker(new URL(import.meta.url), { workerData: world });
  const port = await new Promise<number>((resolve) => upstream.once('message', resolve));
  const catalogue = upstreamCatalogue({
    baseUrl: `http://127.0.0.1:${port}`,
    records: memoryRecordStore(),
    now: () => new Date(),
    waitMs: 60_000,
    onError: (what, error) => process.stderr.write(`${what}: ${error}\n`),
  });
  await catalogue.versions();
  const turns = turnTimes();
  const started = performance.now();
  const record = await catalogue.target('24.10.2', 'releases/24.10.2', 'x86/64');
  const index = record && (await catalogue.packages(record));
  const ms = performance.now() - started;
  const { longestMs, mostBytes } = turns.stop();
  report('feeds', {
    world: world.name,
    packages: Object.keys(index?.feeds ?? {}).length + Object.keys(index?.target ?? {}).length,
    complete: index?.complete ?? false,
    ms: Math.round(ms),
    longest_turn_ms: Math.round(longestMs),
    memory_mb: Math.round(mostBytes / 1024 / 1024),
  });
  await upstream.terminate();
}

if (isMainThread) for (const world of WORLDS) await measure(world);
else serve(workerData as World);
