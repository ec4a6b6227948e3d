import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchByNodeHttp, fetchPubliclyThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { tarArchive } from '#demo/upstream/ustar.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { demoOrder } from '../testing/demo-order.ts';
import { downloadAndUnpack } from './download-and-unpack.ts';

const OPKG = '24.10.2';
/** Its ImageBuilder is a `.tar.xz`. */
const XZ = '23.05.5';

let upstream: DemoUpstreamServer;
let directory: string;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  directory = join(await temporaryDirectory(), 'tree');
  await mkdir(directory);
});
afterEach(() => {
  upstream.faults.clear();
  upstream.restore();
});

interface Said {
  readonly lines: string[];
  /** Whether the download was complete and had the right bytes. */
  downloaded?: true;
}

function fetched(order: BuildOrder, upstreamUrl: string, said: Said = { lines: [] }, signal = new AbortController().signal) {
  const download = {
    upstreamUrl,
    fetch: fetchByNodeHttp,
    fetchPublicly: fetchPubliclyThrough({ direct: [] }),
    verify: 'checksum' as const,
    keys: [],
    attempts: 3,
    backoffMs: 1,
    stallMs: 5000,
  };
  const onDownloaded = () => {
    said.downloaded = true;
  };
  return downloadAndUnpack(order, directory, { download, log: (line) => said.lines.push(line), onDownloaded }, signal);
}

const names = async () => (await readdir(directory)).sort();

/** Serves the demo upstream's files, and holds back the second half of each tarball until it is released. */
async function holdingUpstream() {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = createServer(async (request, response) => {
    const answer = await fetch(upstream.url + request.url);
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { 'content-length': body.length });
    if (!/\.tar\.(zst|xz)$/.test(request.url ?? '')) return response.end(body);
    response.write(body.subarray(0, body.length / 2));
    await released;
    return response.end(body.subarray(body.length / 2));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${port}`, release, close };
}

describe('downloadAndUnpack', () => {
  it.each([OPKG, XZ])('unpacks while the bytes come, and is done only after the last one: %s', async (version) => {
    const order = await demoOrder(upstream.url, { version });
    const holding = await holdingUpstream();
    const said: Said = { lines: [] };
    let isDone = false;
    const unpacking = fetched(order, holding.url, said).finally(() => {
      isDone = true;
    });
    while ((await names()).length === 0) await sleep(10);
    expect([isDone, said.downloaded]).toEqual([false, undefined]);
    holding.release();
    const { bytes } = await unpacking;
    expect(bytes).toBeGreaterThan(0);
    expect(said.downloaded).toBe(true);
    expect(await readFile(join(directory, 'Makefile'), 'utf8')).toContain('ImageBuilder');
    expect(await readdir(join(directory, '..'))).toEqual(['tree']);
    await holding.close();
  });

  it.each([
    ['a connection that is cut', { kind: 'truncated', bytes: 20_000 }],
    ['other bytes', { kind: 'wrong-bytes' }],
  ] as const)('has the same tree after %s', async (_, fault) => {
    const order = await demoOrder(upstream.url);
    await fetched(order, upstream.url);
    const expected = await names();
    directory = join(await temporaryDirectory(), 'tree');
    await mkdir(directory);
    upstream.faults.add(/\.tar\.zst$/, fault, { times: 1 });
    const said: Said = { lines: [] };
    await fetched(order, upstream.url, said);
    expect(said.lines.join('\n')).toContain('trying again');
    expect(await names()).toEqual(expected);
  });

  it('keeps nothing of another tarball that came first', async () => {
    const order = await demoOrder(upstream.url);
    const other = tarArchive([{ name: 'x/planted', content: Buffer.alloc(300_000, 'x'), mode: 0o755 }], 1_750_000_000);
    upstream.faults.add(/\.tar\.zst$/, { kind: 'body', body: zstdCompressSync(other) }, { times: 1 });
    const said: Said = { lines: [] };
    await fetched(order, upstream.url, said);
    expect(said.lines.join('\n')).toContain('wrong bytes');
    expect(await names()).not.toContain('planted');
    expect(await names()).toContain('Makefile');
  });

  it('fails as a download that never has the right bytes, whatever they unpack to', async () => {
    const order = await demoOrder(upstream.url);
    const other = tarArchive([{ name: 'x/../../escaped', content: Buffer.from('x'), mode: 0o755 }], 1_750_000_000);
    upstream.faults.add(/\.tar\.zst$/, { kind: 'body', body: zstdCompressSync(other) });
    const said: Said = { lines: [] };
    const error = await fetched(order, upstream.url, said).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(String(error)).toContain('wrong bytes');
    expect(said.downloaded).toBeUndefined();
  });

  it('writes nothing more when it is stopped', async () => {
    const order = await demoOrder(upstream.url);
    const holding = await holdingUpstream();
    const stop = new AbortController();
    const unpacking = fetched(order, holding.url, { lines: [] }, stop.signal);
    while ((await names()).length === 0) await sleep(10);
    stop.abort(new Error('enough'));
    await expect(unpacking).rejects.toThrow('enough');
    const left = await names();
    holding.release();
    await holding.close();
    expect(await names()).toEqual(left);
  });
});
