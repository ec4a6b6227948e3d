import { createHash } from 'node:crypto';
import type { Terminal } from './terminal.ts';

/** The request that the demo sends, which is the example of the design documents. `auc` became `owut` in 24.10. */
const REQUEST = {
  version: '24.10.0',
  target: 'ath79/generic',
  profile: 'test',
  packages: ['luci', 'auc', 'luci-i18n-opkg-de'],
  client: 'demo/1',
};

const STEPS = ['queued', 'init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image', 'done'];
const POLL_MS = 250;

interface Result {
  readonly status: number;
  readonly detail: string;
  readonly imagebuilder_status?: string;
  readonly queue_position?: number;
  readonly request_hash: string;
  readonly bin_dir: string;
  readonly images: readonly { name: string; type: string; sha256: string; filesystem?: string }[];
  readonly files: readonly { name: string; size: number; sha256: string }[];
  readonly manifest: Readonly<Record<string, string>>;
}

interface Prepared {
  readonly prepared_request: object;
  readonly resolved_packages: readonly string[];
  readonly changes: readonly { action: string; reason: string; package?: string; from_package?: string; to_package?: string }[];
}

/**
 * Acts as a user: prepares, builds, waits, downloads, checks, and sends the request again. Throws if any step goes
 * wrong.
 */
export async function showBuild(server: string, { heading, say, bar, endBar }: Terminal, signal: AbortSignal): Promise<void> {
  heading('1. What we want');
  say(`  OpenWrt ${REQUEST.version} for ${REQUEST.target}, profile ${REQUEST.profile}, with ${REQUEST.packages.join(', ')}`);

  heading('2. What that means today  (POST /api/v1/build/prepare)');
  const prepared = await post<Prepared>(`${server}/api/v1/build/prepare`, REQUEST, signal);
  for (const { action, reason, package: name, from_package, to_package } of prepared.body.changes)
    say(`  ${action.padEnd(8)} ${from_package ? `${from_package} → ${to_package}` : name}\n           because ${reason}`);
  say(`  packages: ${prepared.body.resolved_packages.join(', ')}`);

  heading('3. Build it  (POST /api/v1/build, then GET until it is there)');
  const started = performance.now();
  let answer = await post<Result>(`${server}/api/v1/build`, prepared.body.prepared_request, signal);
  const statusUrl = `${server}/api/v1/build/${answer.body.request_hash}`;
  while (answer.status === 202) {
    const step = answer.body.imagebuilder_status ?? answer.body.detail;
    bar(STEPS.indexOf(step) / (STEPS.length - 1), step.replaceAll('_', ' '));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await get<Result>(statusUrl, signal);
  }
  if (answer.status !== 200) throw new Error(`the build failed: ${answer.body.detail}`);
  bar(1, `done in ${seconds(performance.now() - started)}`);
  endBar();
  const result = answer.body;

  heading('4. Download and check every file');
  for (const { name, sha256, size } of result.files) {
    const file = await fetch(`${server}/store/${result.bin_dir}/${name}`, { signal });
    const content = Buffer.from(await file.arrayBuffer());
    const found = createHash('sha256').update(content).digest('hex');
    if (file.status !== 200 || found !== sha256 || content.length !== size) throw new Error(`${name} is not what was announced`);
    const type = result.images.find((image) => image.name === name)?.type ?? '';
    say(`  ✓ ${name}  ${kilobytes(size)}  sha256 ${sha256.slice(0, 12)}…  ${type}`);
  }
  if (result.images.length === 0) throw new Error('there is no image');

  heading('5. What is inside');
  const manifest = Object.entries(result.manifest);
  for (const [name, version] of manifest.filter(([name]) => prepared.body.resolved_packages.includes(name))) say(`  ${name} ${version}`);
  say(`  … ${manifest.length} packages in all`);

  heading('6. Ask again: nothing is built twice');
  const again = performance.now();
  const cached = await post<Result>(`${server}/api/v1/build`, REQUEST, signal);
  if (cached.status !== 200 || cached.body.request_hash !== result.request_hash)
    throw new Error('the second request was not answered from the first build');
  say(`  200 in ${(performance.now() - again).toFixed(1)} ms, the same request hash ${result.request_hash.slice(0, 12)}…`);

  heading('Everything has a URL');
  for (const path of [
    `/api/v1/build/${result.request_hash}`,
    ...result.images.map(({ name }) => `/store/${result.bin_dir}/${name}`),
    '/json/v1/overview.json',
    '/',
  ])
    say(`  ${server}${path}`);
}

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

async function post<T>(url: string, body: object, signal: AbortSignal): Promise<Answer<T>> {
  return read(await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal }));
}

const get = async <T>(url: string, signal: AbortSignal): Promise<Answer<T>> => read(await fetch(url, { signal }));

async function read<T>(response: Response): Promise<Answer<T>> {
  const body = (await response.json()) as T & { detail?: string };
  if (response.status >= 400) throw new Error(`${response.url} answered ${response.status}: ${body.detail}`);
  return { status: response.status, body };
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(0)} KB`;
