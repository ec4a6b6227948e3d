import { setTimeout as delay } from 'node:timers/promises';
import {
  array,
  askUrl,
  branchOf,
  chunked,
  type Device,
  type Downloaded,
  fail,
  follow,
  integer,
  type Json,
  object,
  parse,
  parseObject,
  sha256,
  string,
  versionPath,
} from './client.ts';

const USER_AGENT = { 'User-Agent': 'auc/0.3.2-1' };
/** The size in bytes of the buffer in which auc builds URLs (docs/contract.md §9.7). */
const MAX_URL = 255;
const AHEAD_OF_INDEX = ['libc', 'librt', 'libpthread', 'kernel'];

export interface AucRun extends Downloaded {
  /** The versions of the wanted branch whose profile could be read, newest first as listed. */
  readonly offered: readonly string[];
}

/** `auc -b <branch of to>` up to the image on disk (docs/contract.md §9). Throws where auc stops, or drops what it was to find. */
export async function auc(server: string, device: Device, to: string): Promise<AucRun> {
  const branch = await branchNamed(server, branchOf(to));
  const arch = string(branch.targets[device.target] ?? fail(`${device.target} is not in ${branch.name}`), 'arch');
  const profile = device.target.startsWith('x86') ? 'generic' : device.board.replaceAll(',', '_');

  const offered: { version: string; versionCode: string }[] = [];
  for (const version of branch.versions) {
    const found = await profileJson(
      url(server, '/json/v1/', versionPath(branch.path, version), `/targets/${device.target}/${profile}.json`),
      arch,
      device.target,
    );
    if (found !== undefined) offered.push({ version, versionCode: found });
  }
  const chosen = offered.find(({ version }) => version === to) ?? fail(`${to} was skipped: its profile is not as auc wants it`);
  const path = versionPath(branch.path, to);

  const target = parseObject((await follow(url(server, '/json/v1/', path, `/targets/${device.target}/index.json`))).answer);
  if (target['architecture'] !== arch) fail(`architecture of the index is ${target['architecture']}, wanted ${arch}`);
  const feeds = parseObject((await follow(url(server, '/json/v1/', path, `/packages/${arch}-index.json`))).answer);
  const versions = { ...strings(feeds, 'arch index'), ...strings(object(target['packages'], 'packages'), 'index') };
  if (versions['libgcc'] === undefined) fail('libgcc is in no index');
  const missing = device.packages.filter((name) => versions[name] === undefined && !AHEAD_OF_INDEX.includes(name));
  if (missing.length > 0) fail(`package(s) missing: ${missing.join(' ')}`);

  const answer = await build(server, {
    version: to,
    version_code: chosen.versionCode,
    target: device.target,
    filesystem: device.filesystem,
    profile,
    diff_packages: true,
    packages_versions: Object.fromEntries(device.packages.map((name) => [name, versions[name] ?? ''])),
  });
  const image = imageOf(array(answer['images'], 'images') as Json[], device.filesystem);
  const { name, bytes } = await download(url(server, `/store/${string(answer['bin_dir'], 'bin_dir')}/`, image.name));
  if (name !== image.name) fail(`image download failed: ${name}`);
  if (sha256(bytes) !== image.sha256) fail('invalid checksum');
  return { name, bytes, answer, offered: offered.map(({ version }) => version) };
}

function url(...parts: string[]): string {
  const joined = parts.join('');
  return joined.length <= MAX_URL ? joined : fail(`URL is cut off at ${MAX_URL} bytes: ${joined}`);
}

interface AucBranch {
  readonly name: string;
  readonly path: string;
  readonly versions: readonly string[];
  readonly targets: Readonly<Record<string, unknown>>;
}

/** 1. auc drops a branch with a value of another type silently; this emulation throws. */
async function branchNamed(server: string, wanted: string): Promise<AucBranch> {
  const body = parse((await follow(url(server, '/json/v1/branches.json'), { headers: USER_AGENT })).answer);
  const branches = Array.isArray(body) ? body : Object.values(object(body, 'branches'));
  for (const entry of branches) {
    const branch = object(entry, 'branch');
    if (branch['enabled'] !== true) fail(`branch dropped: enabled is ${branch['enabled']}`);
    const name = string(branch['name'], 'name');
    const path = string(branch['path'], `path of ${name}`);
    string(branch['path_packages'], `path_packages of ${name}`);
    const versions = array(branch['versions'], `versions of ${name}`).map((version) => string(version, 'version'));
    const targets = object(branch['targets'], `targets of ${name}`);
    if (branch['branch_off_rev'] !== undefined) integer(branch['branch_off_rev'], 'branch_off_rev');
    if (branch['snapshot'] !== undefined && typeof branch['snapshot'] !== 'boolean') fail('snapshot is no boolean');
    for (const change of array(branch['package_changes'] ?? [], 'package_changes')) {
      const { source, target, revision, mandatory } = object(change, 'package change');
      for (const pkg of [source, target]) if (pkg !== undefined) string(pkg, 'package');
      integer(revision, 'revision');
      if (mandatory !== undefined && typeof mandatory !== 'boolean') fail('mandatory is no boolean');
    }
    if (name === wanted) return { name, path, versions, targets };
  }
  return fail(`no branch ${wanted}`);
}

/** 2. Its version_code; `undefined` where auc skips the version. */
async function profileJson(at: string, arch: string, target: string): Promise<string | undefined> {
  const { answer } = await follow(at, { headers: USER_AGENT });
  if (answer.status !== 200) return undefined;
  const profile = parseObject(answer);
  const isGood =
    profile['metadata_version'] === 1 &&
    profile['arch_packages'] === arch &&
    profile['target'] === target &&
    Array.isArray(profile['images']);
  return isGood && typeof profile['version_code'] === 'string' && typeof profile['version_number'] === 'string'
    ? profile['version_code']
    : undefined;
}

function strings(index: Json, what: string): Record<string, string> {
  for (const [name, version] of Object.entries(index)) string(version, `${name} in ${what}`);
  return index as Record<string, string>;
}

/** 5, 6. The HTTP status counts; the body of other than 200, 202 and 500 is not read. */
async function build(server: string, request: Json): Promise<Json> {
  let answer = await askUrl(url(server, '/api/v1/build'), {
    method: 'POST',
    headers: { ...USER_AGENT, 'Content-Type': 'application/json' },
    body: chunked(request),
  });
  while (answer.status === 201 || answer.status === 202) {
    const { request_hash: hash, queue_position: position, status } = parseObject(answer);
    if (position !== undefined) integer(position, 'queue_position');
    if (typeof status === 'string') fail('a status in words is that of a very old server');
    await delay(50);
    answer = await askUrl(url(server, '/api/v1/build/', string(hash, 'request_hash')), { headers: USER_AGENT });
  }
  if (answer.status === 422) fail(`unknown package: ${answer.header('x-unknown-package') ?? '(null)'}`);
  if (answer.status === 500) {
    const { detail, stdout, stderr } = parseObject(answer);
    fail([string(detail, 'detail'), string(stdout, 'stdout'), string(stderr, 'stderr')].join('\n'));
  }
  if (answer.status !== 200) fail(`build failed: ${answer.status}`);
  return parseObject(answer);
}

interface AucImage {
  readonly name: string;
  readonly sha256: string;
}

/** 7. Chooses by file system, then by kind. An entry with a value that is no string does not count. */
function imageOf(images: Json[], filesystem: string): AucImage {
  for (const wanted of [filesystem, 'squashfs'])
    for (const type of ['sysupgrade', 'combined', 'combined-efi', 'sdcard'])
      for (const image of images) {
        const { name, sha256: sum } = image;
        if (image['filesystem'] === wanted && image['type'] === type && typeof name === 'string' && typeof sum === 'string')
          return { name, sha256: sum };
      }
  return fail('no image');
}

/** 8. The file is named after the last part of the URL where redirects ended, and must have the size that was announced (docs/contract.md §9.5, §9.6). */
async function download(from: string): Promise<{ name: string; bytes: Buffer }> {
  const { url: at, answer } = await follow(from, { headers: USER_AGENT });
  if (answer.status !== 200) fail(`image download failed: ${answer.status}`);
  if (Number(answer.header('content-length') ?? Number.NaN) !== answer.bytes.length) fail('file size mismatch');
  return { name: at.slice(at.lastIndexOf('/') + 1), bytes: answer.bytes };
}
