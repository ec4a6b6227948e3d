import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchByNodeHttp, fetchPubliclyThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { run } from '#demo/upstream/unpacked-imagebuilder.ts';
import { tarArchive } from '#demo/upstream/ustar.ts';
import { downloadTarball } from '#runner/imagebuilder/download/download.ts';
import { downloadAndUnpack } from '#runner/imagebuilder/download/download-and-unpack.ts';
import { extractTarball } from '#runner/imagebuilder/download/extract-tarball.ts';
import { demoOrder } from '#runner/imagebuilder/testing/demo-order.ts';
import { report } from './machine.ts';
import { median } from './request-times.ts';

/**
 * Measures what the first build of a target waits for before its make: an ImageBuilder of 150 MB (unpacked) is downloaded, verified
 * and unpacked, at the same time as the server does it and one step after the other, in turns. `npm run bench:first`;
 * `-- --megabytes-a-second 50` for a faster connection.
 */
const { values } = parseArgs({
  options: { 'megabytes-a-second': { type: 'string', default: '10' }, times: { type: 'string', default: '5' } },
});
const BYTES_A_SECOND = Number(values['megabytes-a-second']) * 1_000_000;
const FILES = 600;
const FILE_BYTES = 256 * 1024;

/** The versions of the demo upstream whose ImageBuilders have each format. */
const FORMATS = [
  ['.tar.zst', '24.10.2', ['zstd', '-q', '-3']],
  ['.tar.xz', '23.05.5', ['xz', '-1']],
] as const;

/** Returns bytes that a compressor makes a quarter as long, like those of an ImageBuilder. */
function fileBytes(seed: number): Buffer {
  const blocks = Array.from({ length: FILE_BYTES / 256 }, (_, at) => {
    const digest = createHash('sha256').update(`${seed} ${at}`).digest();
    const text = Buffer.from(digest.toString('hex'));
    return Buffer.concat([digest, text, digest, text, Buffer.alloc(64)]);
  });
  return Buffer.concat(blocks);
}

const parent = await mkdtemp(join(tmpdir(), 'asu-first-'));
const upstream = await serveDemoUpstream();
const download = {
  upstreamUrl: upstream.url,
  fetch: fetchByNodeHttp,
  fetchPublicly: fetchPubliclyThrough({ direct: [] }),
  verify: 'checksum' as const,
  keys: [],
  attempts: 1,
  backoffMs: 1,
  stallMs: 30_000,
};
const signal = new AbortController().signal;
const log = () => undefined;
let trees = 0;

async function timed(act: (tree: string) => Promise<unknown>): Promise<number> {
  const tree = join(parent, `tree-${trees++}`);
  await mkdir(tree);
  const started = performance.now();
  await act(tree);
  const ms = performance.now() - started;
  await rm(tree, { recursive: true });
  return ms;
}

try {
  const members = Array.from({ length: FILES }, (_, at) => ({ name: `top/file-${at}`, content: fileBytes(at), mode: 0o644 }));
  const archive = join(parent, 'archive.tar');
  await writeFile(archive, tarArchive(members, 1_750_000_000));
  for (const [format, version, [command, ...argv]] of FORMATS) {
    const at = `/releases/${version}/targets/x86/64`;
    await run(command, [...argv, '-k', archive]);
    const tarball = await readFile(`${archive}${format.slice('.tar'.length)}`);
    const sums = await (await fetch(`${upstream.url}${at}/sha256sums`)).text();
    const { imagebuilder } = await demoOrder(upstream.url, { version });
    upstream.overlay(`${at}/${imagebuilder.name}`, tarball);
    upstream.overlay(`${at}/sha256sums`, sums.replace(imagebuilder.sha256, createHash('sha256').update(tarball).digest('hex')));
    upstream.faults.add(new RegExp(imagebuilder.name), { kind: 'slow', ms: 0, bytesPerSecond: BYTES_A_SECOND });
    const order = await demoOrder(upstream.url, { version });
    const times: { readonly together: number; readonly oneByOne: number }[] = [];
    for (let count = 0; count < Number(values.times); count++)
      times.push({
        together: await timed((tree) => downloadAndUnpack(order, tree, { download, log, onDownloaded: log }, signal)),
        oneByOne: await timed(async (tree) => {
          await downloadTarball(order, `${tree}.tarball`, download, log, signal);
          await extractTarball(`${tree}.tarball`, tree, signal);
          await rm(`${tree}.tarball`);
        }),
      });
    const [together, oneByOne] = [median(times.map((one) => one.together)), median(times.map((one) => one.oneByOne))];
    report('first', {
      format,
      megabytes: Math.round(tarball.length / 1e6),
      megabytes_a_second: BYTES_A_SECOND / 1e6,
      together_ms: together,
      one_by_one_ms: oneByOne,
      ratio: Math.round((100 * together) / oneByOne) / 100,
    });
  }
} finally {
  await upstream.close();
  await rm(parent, { recursive: true, force: true });
}
