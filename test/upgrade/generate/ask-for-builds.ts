import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { demoUpstreamKey, usignSignature } from '#demo/upstream/key.ts';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';
import type { AnsweredBuild, RecordedBuild } from '../recordings.ts';

const DEVICE = { version: '24.10.2', target: 'x86/64', profile: 'generic', client: 'upgrade/1' };
const TARGET_DIRECTORY = 'releases/24.10.2/targets/x86/64';

/** Settings of the processes that write a recording. */
export const RECORDING_SETTINGS = {
  ALLOW_DEFAULTS: 'true',
  BUILD_TTL: '7d',
  BUILD_TTL_UNVERSIONED: '20s',
  BUILD_DEFAULTS_TTL: '7d',
  BUILD_FAILURE_TTL: '7d',
  REBUILD_PAUSE: '1s',
  LEASE: '6s',
  WORKER_CONCURRENT: '2',
} as const;

/** A request whose build lives for `BUILD_TTL_UNVERSIONED`, which is short here. */
const request = (...packages: string[]) => ({ ...DEVICE, packages });
/** A request whose build lives for `BUILD_TTL`. */
const keptRequest = (name: string, version: string) => ({ ...request(name), packages_versions: { [name]: version } });

/** The builds that clients asked for, by what had become of them when the runner was killed. */
export interface Asked {
  readonly done: AnsweredBuild[];
  readonly privately: AnsweredBuild[];
  readonly failed: AnsweredBuild[];
  readonly failedForNow: AnsweredBuild[];
  /** Finished builds that soon expire. */
  readonly expired: AnsweredBuild[];
  readonly building: RecordedBuild[];
  readonly queued: RecordedBuild[];
  readonly forecasts: RecordedBuild[];
}

export interface AskedServer {
  readonly url: string;
  readonly upstream: DemoUpstreamServer;
  /** Settles when a runner logs that it has entered the step with this build. */
  inStep(hash: string, step: string): Promise<void>;
}

/** Asks a server for one build of every kind; returns while the runner works on two of them and two others wait. */
export async function askForBuilds({ url, upstream, inStep }: AskedServer): Promise<Asked> {
  const { ask, accept, end } = client(url);
  const finish = async (name: string, body: object, status: 200 | 500 = 200) => end(await accept(name, body), status);

  // This first request makes the server read the catalogue's record of the target, which the orders below are made from.
  const forecasts: RecordedBuild[] = [];
  for (const [name, body] of [
    ['a plain request', request('siproxd', 'babeld')],
    ['a request with everything', { ...keptRequest('babeld', '1.13.1-r1'), ...EVERYTHING_ELSE }],
  ] as const) {
    const answer = await ask('/api/v1/build/prepare', body);
    if (typeof answer.body['request_hash'] !== 'string') throw new Error(`${name}: ${answer.text}`);
    forecasts.push({ name, request: body, hash: answer.body['request_hash'] });
  }

  // Upstream removes the ImageBuilder before it was downloaded: these builds fail, but not because of their requests.
  await removeImagebuilder(upstream);
  const failedForNow = [await finish('whose ImageBuilder was gone', request('batctl-default'), 500)];
  const again = keptRequest('test2', '2.0-r1');
  await finish('that fails before the next build of its hash', again, 500);
  upstream.restore();
  await pause(REBUILD_PAUSE_MS);

  const done = [
    await finish('built after a failure', again),
    await finish('published', keptRequest('test1', '1.0-r1')),
    await finish('that a crash kept from being published', keptRequest('zzz', '1.0-r1')),
  ];
  const privately = [
    await finish('private', { ...request('babeld'), ...SECRET }),
    await finish('private, that a crash kept from being published', { ...request('siproxd'), ...SECRET }),
  ];
  const failed = [
    await finish('whose package needs one that does not exist', request('needs-missing'), 500),
    await finish('in conflict', request('foe-a', 'foe-b'), 500),
  ];
  const expired = [
    await finish('past its time', request('qqq')),
    await finish('half removed', request('aaa')),
    await finish('whose removal was cut short at its beginning', request('aaa', 'qqq')),
  ];

  // The statistics get hits and a refusal, the catalogue its remaining records.
  for (const { request: known } of [...done, ...failed]) await ask('/api/v1/build', known);
  await ask('/api/v1/build', request('no-such-package'));
  for (const path of ['overview', 'branches', 'latest']) await ask(`/json/v1/${path}.json`);

  const building = [
    await accept('under way', request('slow-install')),
    await accept('under way, then given back by the sweeper', request('slow-install', 'zzz')),
  ];
  const waiting = request('test1', 'test2');
  const queued = [await accept('waiting', waiting), await accept('cancelled', request('aaa', 'zzz'))];
  // A second client joins.
  await accept('waiting', waiting);
  for (const { hash } of building) await inStep(hash, 'building_image');
  return { done, privately, failed, failedForNow, expired, building, queued, forecasts };
}

const EVERYTHING_ELSE = { diff_packages: true, defaults: '# nothing\n', filesystem: 'squashfs' };
const SECRET = { defaults: "uci set system.@system[0].hostname='only-for-me'\nuci commit\n" };
/** Longer than the setting `REBUILD_PAUSE`. */
const REBUILD_PAUSE_MS = 1_500;

async function removeImagebuilder(upstream: DemoUpstreamServer): Promise<void> {
  const sums = await (await fetch(`${upstream.url}/${TARGET_DIRECTORY}/sha256sums`)).text();
  const without = Buffer.from(sums.replace(/^.*imagebuilder.*\n/m, ''));
  upstream.overlay(`${TARGET_DIRECTORY}/sha256sums`, without);
  upstream.overlay(`${TARGET_DIRECTORY}/sha256sums.sig`, usignSignature(without, demoUpstreamKey));
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

function client(url: string) {
  const ask = async (path: string, body?: object): Promise<Answer> => {
    const response = await fetch(url + path, body && { method: 'POST', body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  return {
    ask,
    async accept(name: string, body: object): Promise<RecordedBuild> {
      const answer = await ask('/api/v1/build', body);
      if (answer.status !== 202) throw new Error(`${name}: ${answer.status} ${answer.text}`);
      return { name, request: { ...body }, hash: String(answer.body['request_hash']) };
    },
    async end(build: RecordedBuild, expected: 200 | 500): Promise<AnsweredBuild> {
      for (;;) {
        const { status, text } = await ask(`/api/v1/build/${build.hash}`);
        if (status === expected) return { ...build, sha256: createHash('sha256').update(text).digest('hex'), files: filesIn(text) };
        if (status !== 202) throw new Error(`${build.name}: ${status} ${text}`);
        await pause(100);
      }
    },
  };
}

function filesIn(text: string): string[] {
  const { bin_dir: binDir, files = [] } = JSON.parse(text) as { bin_dir?: string; files?: { name: string }[] };
  return files.map(({ name }) => `/store/${binDir}/${name}`);
}
