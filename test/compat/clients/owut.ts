import { setTimeout as delay } from 'node:timers/promises';
import {
  array,
  askUrl,
  ClientError,
  chunked,
  type Device,
  type Downloaded,
  fail,
  integer,
  type Json,
  object,
  parse,
  parseObject,
  sha256,
  string,
  versionPath,
} from './client.ts';

export interface OwutRun extends Downloaded {
  /** The texts of the status line, without repetitions. */
  readonly shown: readonly string[];
  /** The expected version of each requested package. */
  readonly expected: Readonly<Record<string, string>>;
}

/** `owut upgrade -V <to>` up to the image on disk (docs/contract.md §9). Throws where owut stops, or would end in a ucode error. */
export async function owut(server: string, device: Device, to: string, { rootfsSizeMb }: { rootfsSizeMb?: number } = {}): Promise<OwutRun> {
  const asu = server.replace(/\/+$/, '');
  const { branch, upstream, limits } = await overview(asu, to);
  const path = versionPath(string(branch['path'], 'path'), to);
  if (rootfsSizeMb !== undefined && rootfsSizeMb > limits.rootfsMb) fail('rootfs_size_mb is more than the server allows');

  // 2. Upstream's own profiles.json.
  const platform = parseObject(await ok(`${upstream}/${path}/targets/${device.target}/profiles.json`));
  const profile = profileOf(object(platform['profiles'], 'profiles'), device.board);
  const arch = string(platform['arch_packages'], 'arch_packages');
  const versionCode = string(platform['version_code'], 'version_code');

  // 3, 4. Versions of packages: the architecture's, the target's over them, kernel modules included.
  const archIndex = await askUrl(`${asu}/json/v1/${path}/packages/${arch}-index.json`);
  const feeds = archIndex.status === 200 ? parseObject(archIndex) : {};
  const target = parseObject(await ok(`${asu}/json/v1/${path}/targets/${device.target}/index.json`));
  const known = { ...feeds, ...object(target['packages'], 'packages') } as Record<string, string>;

  // 5. The lists of failed builds: anything but a page means none.
  await askUrl(`${upstream}/releases/faillogs-${to}/${arch}/`);

  const wanted = changed(device.packages, array(branch['package_changes'] ?? [], 'package_changes'), versionCode);
  const missing = wanted.filter((name) => known[name] === undefined && !['kernel', 'libc'].includes(name));
  if (missing.length > 0) fail(`missing to-version: ${missing.join(' ')}`);
  const expected = Object.fromEntries(wanted.map((name) => [name, known[name] ?? '']));

  // 6. The request.
  const posted = await askUrl(`${asu}/api/v1/build`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'owut/2026.04' },
    body: chunked({
      client: 'owut/2026.04',
      target: device.target,
      profile,
      version: to,
      version_code: versionCode,
      filesystem: device.filesystem,
      diff_packages: true,
      packages_versions: expected,
      ...(rootfsSizeMb !== undefined && { rootfs_size_mb: rootfsSizeMb }),
    }),
  });
  const { answer, shown } = await poll(asu, parseObject(posted));

  // 8. What is read of the result; `request` missing is "left-hand side expression is null" after a good build (docs/contract.md §9.3).
  const request = object(answer['request'], 'request');
  for (const key of ['version_code', 'defaults', 'rootfs_size_mb']) if (!Object.hasOwn(request, key)) fail(`request has no ${key}`);
  if ((request['rootfs_size_mb'] ?? undefined) !== rootfsSizeMb) fail('built with another rootfs_size_mb');
  for (const key of ['build_at', 'version_number', 'version_code', 'bin_dir']) string(answer[key], key);
  if (answer['version_code'] !== versionCode) fail(`built ${answer['version_code']}, wanted ${versionCode}`);
  array(answer['build_cmd'], 'build_cmd');
  const image = imageOf(array(answer['images'], 'images') as Json[], device.filesystem);

  // 9. The image.
  const name = string(image['name'], 'name');
  const { bytes, header } = await ok(`${asu}/store/${answer['bin_dir']}/${name}`);
  if (Number(header('content-length')) !== bytes.length) fail('no Content-Length to show progress with');
  if (sha256(bytes) !== image['sha256']) fail('checksum mismatch');

  // Index and image must be of one revision (docs/contract.md §9.14).
  const manifest = object(answer['manifest'], 'manifest');
  for (const [pkg, version] of Object.entries(expected))
    if (version !== '' && manifest[pkg] !== version) fail(`version mismatch: ${pkg} is ${manifest[pkg]}, expected ${version}`);
  return { name, bytes, answer, shown, expected };
}

async function ok(url: string) {
  const answer = await askUrl(url);
  if (answer.status !== 200) throw new ClientError(`${url}: ${answer.status} ${answer.text.slice(0, 200)}`);
  return answer;
}

/** 1. The overview: without it owut ends at once. */
async function overview(asu: string, to: string) {
  const body = parseObject(await ok(`${asu}/json/v1/overview.json`));
  const branches = object(body['branches'], 'branches');
  const server = object(body['server'] ?? {}, 'server');
  const name = Object.keys(branches).find((key) => (object(branches[key], key)['versions'] as string[] | undefined)?.includes(to));
  const branch = object(branches[name ?? fail(`${to} is not supported`)], 'branch');
  if (branch['enabled'] === false) fail(`branch ${name} is disabled`);
  if (Object.keys(object(branch['targets'], 'targets')).length === 0) fail(`branch ${name} has no targets`);
  return {
    branch,
    upstream: string(body['upstream_url'] ?? 'https://downloads.openwrt.org', 'upstream_url'),
    limits: {
      rootfsMb: integer(server['max_custom_rootfs_size_mb'] ?? 1024, 'max_custom_rootfs_size_mb'),
      defaultsLength: integer(server['max_defaults_length'] ?? 20_480, 'max_defaults_length'),
    },
  };
}

function profileOf(profiles: Json, board: string): string {
  const name = board.replace(',', '_');
  if (profiles[name] !== undefined) return name;
  const alias = Object.keys(profiles).find((key) =>
    (object(profiles[key], key)['supported_devices'] as string[] | undefined)?.some((device) => device.replace(',', '_') === name),
  );
  return alias ?? (profiles['generic'] === undefined ? fail(`no profile for ${board}`) : 'generic');
}

/** Applies the package changes up to the wanted revision: a package is replaced, even by one that does not exist, or dropped. */
function changed(packages: readonly string[], changes: unknown[], versionCode: string): string[] {
  const revision = Number(/^r(\d+)-/.exec(versionCode)?.[1] ?? fail(`no revision in ${versionCode}`));
  const list = new Set(packages);
  for (const change of changes) {
    const { source, target, revision: since } = object(change, 'package change');
    const from = string(source, 'source');
    if (integer(since, 'revision') > revision || !list.delete(from)) continue;
    if (target !== undefined) list.add(string(target, 'target'));
  }
  return [...list];
}

/** 6, 7. The body's status counts, not HTTP's (docs/contract.md §9.2); HEAD until it says something else than 202, then GET. */
async function poll(asu: string, first: Json): Promise<{ answer: Json; shown: string[] }> {
  const shown: string[] = [];
  const show = (line: string) => shown.at(-1) !== line && shown.push(line);
  let answer = first;
  for (;;) {
    const status = integer(answer['status'], 'status');
    if (status === 200) return { answer, shown };
    if (status !== 202) fail([answer['detail'], answer['error'], answer['stderr']].filter(Boolean).join('\n'));
    const detail = string(answer['detail'], 'detail');
    show(
      detail === 'queued'
        ? `queued - ${integer(answer['queue_position'], 'queue_position')} ahead`
        : `${answer['imagebuilder_status'] ?? 'setup'}`,
    );
    await delay(50);
    const url = `${asu}/api/v1/build/${string(answer['request_hash'], 'request_hash')}`;
    const head = await askUrl(url, { method: 'HEAD' });
    if (head.status !== 202) {
      answer = object(parse(await askUrl(url)), 'the answer');
      continue;
    }
    const step = head.header('x-imagebuilder-status') ?? fail('owut shows "queued - 0 ahead" while it builds: no X-Imagebuilder-Status');
    const position = Number(head.header('x-queue-position') ?? fail('no X-Queue-Position'));
    answer =
      step === 'queued'
        ? { ...answer, status: 202, detail: 'queued', queue_position: position }
        : { ...answer, status: 202, detail: 'started', imagebuilder_status: step };
  }
}

function imageOf(images: Json[], filesystem: string): Json {
  const types = ['sysupgrade', 'combined-efi', 'combined', 'sdcard'];
  for (const type of types) {
    const image = images.find((candidate) => candidate['type'] === type && candidate['filesystem'] === filesystem);
    if (image !== undefined) return image;
  }
  return fail(`no image for ${filesystem}`);
}
