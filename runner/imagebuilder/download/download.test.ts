import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchByNodeHttp, fetchPubliclyThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { generateUsignKey, parseUsignPublicKey, signUsign, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { demoOrder } from '../testing/demo-order.ts';
import { type DownloadOptions, downloadTarball } from './download.ts';

let upstream: DemoUpstreamServer;
let order: BuildOrder;
let directory: string;
let demoKey: UsignPublicKey;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  order = await demoOrder(upstream.url);
  demoKey = parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey;
});
afterAll(() => upstream.close());
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  upstream.faults.clear();
  upstream.restore();
  upstream.clearRequests();
});

const targetPath = '/releases/24.10.2/targets/x86/64';

let downloads = 0;

async function download(options: Partial<DownloadOptions> = {}, signal: AbortSignal = new AbortController().signal) {
  const path = join(directory, `tarball-${downloads++}`);
  const lines: string[] = [];
  await downloadTarball(
    order,
    path,
    {
      upstreamUrl: upstream.url,
      fetch: fetchByNodeHttp,
      fetchPublicly: fetchPubliclyThrough({ direct: [] }),
      verify: 'known',
      keys: [demoKey],
      attempts: 3,
      backoffMs: 1,
      stallMs: 5000,
      ...options,
    },
    (line) => lines.push(line),
    signal,
  );
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { sha256, log: lines.join('\n') };
}

const failure = async (options: Partial<DownloadOptions> = {}): Promise<InfrastructureFailure> => {
  const error: unknown = await download(options).catch((reason: unknown) => reason);
  if (!(error instanceof InfrastructureFailure)) throw new Error('did not fail as expected', { cause: error });
  return error;
};

const tarballRequests = () => upstream.requests.filter(({ path }) => path.includes('imagebuilder'));

describe('downloadTarball', () => {
  it('downloads what sha256sums lists, signature checked', async () => {
    const { sha256, log } = await download();
    expect(sha256).toBe(order.imagebuilder.sha256);
    expect(log).toContain(`good, key ${demoKey.id}`);
    expect(log).toContain('Downloading ');
  });

  it.each([{ announced: true }, { announced: false }])('resumes a connection that was cut, %o', async ({ announced }) => {
    upstream.faults.add('imagebuilder', { kind: 'truncated', bytes: 20_000, announced }, { times: 1 });
    const { sha256, log } = await download();
    expect(sha256).toBe(order.imagebuilder.sha256);
    expect(tarballRequests().at(-1)?.status).toBe(announced ? 206 : 200);
    if (announced) expect(log).toMatch(/Resuming .* at byte 20000/);
  });

  it('starts over when the server does not resume', async () => {
    upstream.faults.add('imagebuilder', { kind: 'truncated', bytes: 20_000 }, { times: 1 });
    upstream.faults.add('imagebuilder', { kind: 'no-range' });
    const { sha256, log } = await download();
    expect(sha256).toBe(order.imagebuilder.sha256);
    expect(log).toContain('does not resume');
  });

  it.each([
    ['a web page', { kind: 'html' }, 'a web page instead of a tarball'],
    ['other bytes', { kind: 'wrong-bytes' }, 'instead of a tarball'],
    ['an error', { kind: 'status', status: 503 }, 'HTTP 503'],
    ['half of it', { kind: 'truncated' }, ''],
    ['no answer', { kind: 'reset' }, ''],
  ] as const)('tries again and again for %s, then fails with the reason', async (_, fault, reason) => {
    upstream.faults.add('imagebuilder', fault);
    // Each cut connection sends half of what is left. Without Range it is always the same half.
    const error = await failure({ attempts: 2 });
    expect(error.message).toContain(`${targetPath}/openwrt-imagebuilder`);
    expect(error.message).toContain(reason);
    expect(error.isFinal).toBe(false);
    expect(tarballRequests()).toHaveLength(2);
  });

  it('fails with both digests for a complete tarball with other content', async () => {
    const real = Buffer.from(await (await fetch(`${upstream.url}${targetPath}/${order.imagebuilder.name}`)).arrayBuffer());
    real.writeUInt8(real.readUInt8(real.length - 1) ^ 1, real.length - 1);
    upstream.overlay(`${targetPath}/${order.imagebuilder.name}`, real);
    const error = await failure();
    expect(error.message).toContain(`sha256sums says ${order.imagebuilder.sha256}`);
    expect(error.message).toContain(createHash('sha256').update(real).digest('hex'));
  });

  it('survives a server that is down for a moment', async () => {
    upstream.faults.add('imagebuilder', { kind: 'status', status: 502 }, { times: 1 });
    upstream.faults.add('imagebuilder', { kind: 'reset' }, { times: 1 });
    expect((await download()).sha256).toBe(order.imagebuilder.sha256);
  });

  it('gives up a connection that sends nothing', async () => {
    upstream.faults.add('imagebuilder', { kind: 'hang' }, { times: 1 });
    expect((await download({ stallMs: 200 })).sha256).toBe(order.imagebuilder.sha256);
  });

  it('is final, and names both revisions, when the snapshot moved on', async () => {
    const sums = `${'0'.repeat(64)} *${order.imagebuilder.name}\n`;
    upstream.overlay(`${targetPath}/sha256sums`, sums);
    upstream.overlay(`${targetPath}/sha256sums.sig`, signUsign(Buffer.from(sums), generateUsignKey('other').secret));
    upstream.overlay(`${targetPath}/profiles.json`, JSON.stringify({ version_code: 'r99999-abcdef', profiles: {} }));
    const error = await failure();
    expect(error.isFinal).toBe(true);
    expect(error.message).toContain(order.revision);
    expect(error.message).toContain('r99999-abcdef');
    expect(error.message).toContain(order.imagebuilder.sha256);
    expect(error.message).toContain('0'.repeat(64));
    expect(tarballRequests()).toHaveLength(0);
  });

  it('rejects a web page in place of sha256sums', async () => {
    upstream.overlay(`${targetPath}/sha256sums`, '<!DOCTYPE html>\n<title>Log in</title>\n');
    upstream.remove(`${targetPath}/sha256sums.sig`);
    const error = await failure({ attempts: 1 });
    expect(error.isFinal).toBe(false);
    expect(error.message).toContain('sha256sums');
  });

  it('does not wait for the next attempt when its signal aborts', async () => {
    upstream.faults.add('imagebuilder', { kind: 'status', status: 503 });
    const abort = new AbortController();
    const stopped = download({ backoffMs: 3_600_000 }, abort.signal);
    await Promise.race([stopped, expect.poll(() => tarballRequests().length).toBe(1)]);
    setTimeout(() => abort.abort(new Error('the runner stops')), 100);
    await expect(stopped).rejects.toThrow('the runner stops');
    expect(tarballRequests()).toHaveLength(1);
  });

  it('stops at once when its signal aborts', async () => {
    upstream.faults.add('imagebuilder', { kind: 'hang' });
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('told to')), 100);
    await expect(download({}, abort.signal)).rejects.toThrow('told to');
  });
});

describe('the signature of sha256sums', () => {
  const other = generateUsignKey('other');
  const breakSignature = async () => {
    const sums = await (await fetch(`${upstream.url}${targetPath}/sha256sums`)).text();
    const text = signUsign(Buffer.from(`${sums}x`), other.secret);
    upstream.overlay(`${targetPath}/sha256sums.sig`, text);
    return parseUsignPublicKey(other.public) as UsignPublicKey;
  };

  it.each(['known', 'require'] as const)('%s refuses a wrong one of a known key', async (verify) => {
    const key = await breakSignature();
    const error = await failure({ verify, keys: [demoKey, key], attempts: 1 });
    expect(error.message).toContain(`the signature of key ${key.id} is wrong`);
  });

  it('known accepts one of an unknown key for SHA-256 only, and says so', async () => {
    const { log } = await download({ keys: [] });
    expect(log).toContain(`signed by the unknown key ${demoKey.id}; checked by SHA-256 only`);
  });

  it('known accepts a missing one, and says so', async () => {
    upstream.remove(`${targetPath}/sha256sums.sig`);
    expect((await download()).log).toContain('not signed; checked by SHA-256 only');
  });

  it('require refuses an unknown key, a missing and an unreadable signature', async () => {
    expect((await failure({ verify: 'require', keys: [], attempts: 1 })).message).toContain('unknown key');
    upstream.remove(`${targetPath}/sha256sums.sig`);
    expect((await failure({ verify: 'require', attempts: 1 })).message).toContain('not signed');
    upstream.overlay(`${targetPath}/sha256sums.sig`, 'nonsense');
    expect((await failure({ verify: 'require', attempts: 1 })).message).toContain('unreadable');
  });

  it('checksum does not request it', async () => {
    await download({ verify: 'checksum' });
    expect(upstream.requests.some(({ path }) => path.endsWith('.sig'))).toBe(false);
  });
});
