import { setTimeout as delay } from 'node:timers/promises';
import { array, askUrl, type Downloaded, fail, follow, integer, type Json, parseObject, sha256, string } from './client.ts';

export interface ScriptWish {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  readonly packages: readonly string[];
}

export interface ScriptRun extends Downloaded {
  readonly posts: number;
}

/** A script that polls by posting the same request again (docs/contract.md §9). It reads answers like those in shell, Python and Go. */
export async function repostingScript(server: string, wish: ScriptWish): Promise<ScriptRun> {
  const newest = array(parseObject((await follow(`${server}/api/v1/latest`)).answer)['latest'], 'latest');
  if (!newest.includes(wish.version)) fail(`${wish.version} is not among the latest`);

  let posts = 0;
  for (;;) {
    posts++;
    const answer = await askUrl(`${server}/api/v1/build`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ ...wish, diff_packages: false }),
    });
    const body = parseObject(answer);
    if (integer(body['status'], 'status') !== answer.status) fail(`status is ${body['status']} in the body and ${answer.status} of HTTP`);
    if ([400, 422, 500].includes(answer.status)) fail(`${string(body['detail'], 'detail')}\n${String(body['stderr'] ?? '').slice(-500)}`);
    if (answer.status === 200) return { ...(await download(body)), posts };
    if (answer.status !== 202) fail(`fatal: ${answer.status}`);
    string(body['request_hash'], 'request_hash');
    // The Go client decodes these on every answer.
    rfc3339(body['enqueued_at'], 'enqueued_at');
    await delay(100);
  }

  async function download(body: Json) {
    const images = array(body['images'], 'images') as Json[];
    const image = images.find(({ type }) => type === 'sysupgrade' || type === 'combined') ?? fail('no image to upgrade with');
    const name = string(image['name'], 'name');
    if (!name.startsWith(string(body['image_prefix'], 'image_prefix'))) fail(`${name} does not begin with image_prefix`);
    for (const key of ['build_at', 'enqueued_at']) rfc3339(body[key], key);
    for (const key of ['stdout', 'stderr', 'id', 'version_number', 'version_code', 'target', 'arch_packages']) string(body[key], key);
    for (const key of ['titles', 'device_packages', 'default_packages', 'build_cmd']) array(body[key], key);
    for (const key of ['metadata_version', 'source_date_epoch']) integer(body[key], key);
    const { answer } = await follow(`${server}/store/${string(body['bin_dir'], 'bin_dir')}/${name}`);
    if (answer.status !== 200) fail(`download: ${answer.status}`);
    if (Number.isNaN(Date.parse(answer.header('last-modified') ?? ''))) fail('no Last-Modified');
    if (sha256(answer.bytes) !== image['sha256']) fail('sha256 mismatch');
    return { name, bytes: answer.bytes, answer: body };
  }
}

function rfc3339(value: unknown, what: string): void {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(string(value, what))) fail(`${what} is no RFC 3339 time: ${value}`);
}
