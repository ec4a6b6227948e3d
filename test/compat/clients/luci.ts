import { setTimeout as delay } from 'node:timers/promises';
import { browser, type PageAnswer } from './browser.ts';
import { array, branchOf, type Device, type Downloaded, fail, type Json, object, sha256, string } from './client.ts';

/** The states for which the progress box has a text (docs/contract.md §9.10); any other ends in an exception. */
const KNOWN_STATUSES = ['init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image'];

export interface LuciRun extends Downloaded {
  /** The texts of the progress box, without repetitions. */
  readonly shown: readonly string[];
  readonly hashes: readonly string[];
  readonly preflights: readonly string[];
}

export interface LuciOptions {
  /** `/api/overview` up to 23.05.3 and again today, `/api/v1/overview` in 2024 and 2025. */
  readonly overview: '/api/overview' | '/api/v1/overview';
  /** The number of posts that the five-second timer sends before the first is answered. */
  readonly parallelPosts?: number;
}

/** LuCI's attended sysupgrade on a router's page, up to the image in the browser (docs/contract.md §9). Throws what its user gets to see. */
export async function luci(server: string, device: Device, { overview, parallelPosts = 3 }: LuciOptions): Promise<LuciRun> {
  const page = browser('http://192.168.1.1');
  let clock = Date.now();
  const stamped = (path: string) => `${server}${path}?${clock++}`;

  const version = await search();
  const { answer, shown, hashes } = await build(version);
  const image = imageOf(array(answer['images'], 'images') as Json[]);
  for (const key of ['version_number', 'version_code', 'id', 'target', 'build_at', 'request_hash']) string(answer[key], key);

  // Urlencoded, so without preflight; a redirect to other storage would need CORS there too.
  const name = string(image['name'], 'name');
  const file = await page.send(stamped(`/store/${string(answer['bin_dir'], 'bin_dir')}/${name}`), {
    contentType: 'application/x-www-form-urlencoded',
  });
  if (!file.ok) fail(`Error: ${file.status}`);
  if (sha256(file.bytes) !== image['sha256']) fail('The uploaded image file does not contain a supported format');
  return { name, bytes: file.bytes, answer, shown, hashes, preflights: page.preflights };

  async function search(): Promise<string> {
    if (device.version.endsWith('SNAPSHOT')) {
      const { revision } = json(await good(stamped(`/api/v1/revision/${device.version}/${device.target}`)));
      if (!/^r\d+-[0-9a-f]+$/.test(string(revision, 'revision'))) fail(`no revision: ${revision}`);
      return device.version;
    }
    // The list is newest first, and LuCI walks it until it meets the running version.
    for (const entry of array(json(await good(stamped(overview)))['latest'], 'latest')) {
      const candidate = string(entry, 'version');
      if (candidate === device.version) break;
      if (branchOf(candidate) === branchOf(device.version)) return candidate;
    }
    return fail('No upgrade available');
  }

  async function good(url: string): Promise<PageAnswer> {
    const answer = await page.send(url);
    return answer.ok ? answer : fail(`${answer.url}: ${answer.text}`);
  }

  async function build(version: string) {
    const body = JSON.stringify({
      client: 'luci/git-26.057.31245-2f1c1b9',
      packages: [...device.packages].sort(),
      profile: device.board,
      target: device.target,
      version,
      diff_packages: true,
      filesystem: device.filesystem,
    });
    const post = () => page.send(stamped('/api/v1/build'), { method: 'POST', contentType: 'application/json', body });
    const first = await Promise.all(Array.from({ length: parallelPosts }, post));
    const accepted = first.filter(({ status }) => status === 200 || status === 202);
    const hashes = accepted.map((answer) => string(json(answer)['request_hash'], 'request_hash'));
    const shown: string[] = [];
    let answer = first.at(-1) as PageAnswer;
    while (answer.status === 202) {
      const line = progress(json(answer));
      if (shown.at(-1) !== line) shown.push(line);
      await delay(50);
      // The browser drops the body that LuCI gives to GET, and keeps the content type.
      answer = await page.send(stamped(`/api/v1/build/${hashes[0]}`), { contentType: 'application/json' });
    }
    if ([400, 422, 500].includes(answer.status)) dialog(json(answer));
    if (answer.status !== 200) fail(`polls for ever in silence: ${answer.status}`);
    return { answer: json(answer), shown, hashes };
  }

  function imageOf(images: Json[]): Json {
    const types = device.target.startsWith('x86') ? ['combined-efi', 'combined'] : ['sysupgrade', 'combined'];
    const fitting = images.filter((image) => image['filesystem'] === device.filesystem);
    return fitting.find((image) => types.includes(image['type'] as string)) ?? fail('image is undefined');
  }
}

/** The presence of `queue_position` tells waiting from building. */
function progress(answer: Json): string {
  if ('queue_position' in answer) return `Request in build queue position ${answer['queue_position']}`;
  const status = string(answer['imagebuilder_status'], 'imagebuilder_status');
  return KNOWN_STATUSES.includes(status) ? status : fail(`Cannot read properties of undefined: no text for ${status}`);
}

function dialog({ detail, stdout, stderr }: Json): never {
  return fail(
    [string(detail, 'detail'), ...[stdout, stderr].filter((text) => text !== undefined).map((text) => string(text, 'output'))].join('\n'),
  );
}

function json({ text }: PageAnswer): Json {
  try {
    return object(JSON.parse(text), 'the answer');
  } catch {
    return fail(`the dialog never comes: ${text.slice(0, 200)}`);
  }
}
