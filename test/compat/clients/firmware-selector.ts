import { setTimeout as delay } from 'node:timers/promises';
import { browser, type PageAnswer } from './browser.ts';
import { array, askUrl, type Downloaded, fail, type Json, object, parseObject, sha256, string } from './client.ts';

/** The keys `tr-…` that the page can translate. */
const TRANSLATED = [
  'init',
  'queued',
  'started',
  'container-setup',
  'download-imagebuilder',
  'validate-revision',
  'validate-manifest',
  'unpack-imagebuilder',
  'calculate-packages-hash',
  'building-image',
];

export interface Wish {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  /** Typed by the user; `-name` removes. */
  readonly packages: readonly string[];
  readonly defaults?: string;
}

export interface SelectorRun extends Downloaded {
  readonly shown: readonly string[];
  readonly preflights: readonly string[];
  readonly heading: string;
}

/** The page on firmware-selector.openwrt.org, from the choice of a device to a click on a download (docs/contract.md §9). */
export async function firmwareSelector(server: string, imageUrl: string, wish: Wish): Promise<SelectorRun> {
  const page = browser('https://firmware-selector.openwrt.org');
  const shown: string[] = [];
  const platform = await pickDevice(imageUrl, wish);

  const body = JSON.stringify({
    profile: wish.profile,
    target: wish.target,
    packages: [...platform.packages, ...wish.packages],
    defaults: wish.defaults ?? '',
    version_code: platform.versionCode,
    version: wish.version,
    diff_packages: true,
    client: 'ofs/5.1.0',
    repositories: {},
    repository_keys: [],
  });
  let answer = await page.send(`${server}/api/v1/build`, { method: 'POST', contentType: 'application/json', body });
  while (answer.status === 202) {
    const { request_hash: hash, imagebuilder_status: status, detail, queue_position: position } = json(answer);
    const label = String(status ?? detail ?? 'init').replaceAll('_', '-');
    if (!TRANSLATED.includes(label)) fail(`shows the raw key tr-${label}`);
    const line = position ? `${label} (${position})` : label;
    if (shown.at(-1) !== line) shown.push(line);
    await delay(50);
    answer = await page.send(`${server}/api/v1/build/${string(hash, 'request_hash')}`, { contentType: 'application/json' });
  }
  if (answer.status !== 200) refuse(answer);
  return { ...(await show(json(answer))), shown, preflights: page.preflights };

  async function show(result: Json) {
    const titles = array(result['titles'], 'titles').map((title) => titleOf(object(title, 'title')));
    for (const key of ['target', 'version_number', 'version_code', 'bin_dir']) string(result[key], key);
    if (Number.isNaN(Date.parse(string(result['build_at'], 'build_at')))) fail('Invalid Date');
    if (!('manifest' in result)) fail("the user's package list is lost");
    if (!('build_cmd' in result)) fail('no heading "custom downloads"');
    if ('stderr' in result) for (const key of ['stdout', 'stderr']) string(result[key], key);
    const images = (array(result['images'], 'images') as Json[]).map((image) => ({
      name: string(image['name'], 'name'),
      type: string(image['type'], 'type'),
      sum: image['sha256'],
    }));
    const { name, sum } = images[0] ?? fail('no images');
    // On a click the browser saves anything that is not a page under the link's name.
    const file = await page.send(`${server}/store/${result['bin_dir']}/${name}`);
    if (file.status !== 200 || file.header('content-type') !== 'application/octet-stream') fail('a click does not download');
    if (sha256(file.bytes) !== sum) fail('sha256 shown is not that of the file');
    return { name, bytes: file.bytes, answer: result, heading: titles.join(' / ') };
  }
}

/** Reads everything before the build from the download server, not from ASU. */
async function pickDevice(imageUrl: string, { version, target, profile }: Wish) {
  const versions = parseObject(await askUrl(`${imageUrl}/.versions.json`));
  if (!array(versions['versions_list'], 'versions_list').includes(version)) fail(`${version} is not offered`);
  const path = `${imageUrl}/releases/${version}`;
  const devices = array(parseObject(await askUrl(`${path}/.overview.json`))['profiles'], 'profiles') as Json[];
  if (!devices.some(({ id, target: of }) => id === profile && of === target)) fail(`${profile} is not offered`);
  const all = parseObject(await askUrl(`${path}/targets/${target}/profiles.json`));
  const { device_packages: own } = object(object(all['profiles'], 'profiles')[profile], 'profile');
  return {
    packages: [...array(all['default_packages'], 'default_packages'), ...array(own, 'device_packages')] as string[],
    versionCode: string(all['version_code'], 'version_code'),
  };
}

/** The page shows `detail` unchanged. A list of complaints makes its handler throw, and the box keeps its old text. */
function refuse(answer: PageAnswer): never {
  const { detail, stderr } = json(answer);
  if (detail !== undefined) return fail(string(detail, 'detail'));
  return fail(String(stderr).includes('images are too big') ? 'images are too big' : 'build failed');
}

const titleOf = ({ title, vendor, model, variant }: Json): string =>
  title === undefined
    ? [vendor, model, variant]
        .filter((part) => part !== undefined)
        .map((part) => string(part, 'title'))
        .join(' ')
    : string(title, 'title');

function json({ text }: PageAnswer): Json {
  try {
    return object(JSON.parse(text), 'the answer');
  } catch {
    return fail(`promise rejected, nothing shown: ${text.slice(0, 200)}`);
  }
}
