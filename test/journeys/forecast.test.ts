import { beforeAll, describe, expect, it } from 'vitest';
import { composePrepare } from '#functions/prepare/composition.ts';
import { loadConfig } from '#functions/prepare/config.ts';
import { httpApp } from '#http/http-app.ts';
import type { PreparedBody } from '#http/prepared-response.ts';
import { jsonLog } from '#observe/log.ts';
import { type RecordedUpstream, serveRecordedWorlds } from '../support/recorded-upstream.ts';
import { type RecordedPair, type RecordedWorld, recorded } from '../support/recorded-worlds.ts';

const WORLDS = {
  'apk-25.12-x86': { version: '25.12.0', target: 'x86/64' },
  'apk-25.12-ath79': { version: '25.12.0', target: 'ath79/generic' },
  'opkg-am': { version: '23.05.2', target: 'mvebu/cortexa9' },
  'opkg-mutated': { version: '23.05.3', target: 'mvebu/cortexa9' },
} as const;
type WorldName = keyof typeof WORLDS;
const names = Object.keys(WORLDS) as WorldName[];
const worlds = new Map(names.map((name) => [name, recorded<RecordedWorld>(name)]));

const nothing = () => undefined;
const BRANCHES = JSON.stringify({
  '22.03': { path: 'releases/{version}' },
  '23.05': { path: 'releases/{version}' },
  '25.12': { path: 'releases/{version}' },
});

let upstream: RecordedUpstream;
let ask: (body: object) => Promise<{ status: number; body: PreparedBody }>;

beforeAll(async () => {
  upstream = await serveRecordedWorlds([
    ...[...worlds].map(([name, world]) => ({ world, ...WORLDS[name] })),
    { world: recorded<RecordedWorld>('opkg-am'), version: '22.03.5', target: 'mvebu/cortexa9' },
  ]);
  ask = prepareFunction();
  return upstream.close;
});

/** Returns a prepare function that has just been started. */
function prepareFunction(): typeof ask {
  const config = loadConfig({ CATALOGUE_URL: upstream.url, BRANCHES });
  const log = jsonLog('silent', nothing);
  const { routes } = composePrepare(config, { log, metrics: { onUpstream: nothing, onRequest: nothing, onSwept: nothing } });
  const app = httpApp({ log, onAnswered: nothing }, ...routes);
  return async (body) => {
    const response = await app.request('/api/v1/prepare?skip_package_resolution=true', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as PreparedBody };
  };
}

const askFor = (world: WorldName, packages: readonly string[], more: object = {}) =>
  ask({ ...WORLDS[world], profile: Object.keys(worlds.get(world)?.profiles ?? {})[0], packages, ...more });

/** Every so many of the recorded requests is asked for over HTTP: \`truth.test.ts\` asks the solver for all of them. */
const STEP = 5;

describe.each(names)('in the world %s', (name) => {
  const asked = (worlds.get(name)?.pairs ?? []).filter((_, at) => at % STEP === 0);
  const answerOf = ({ verdict, warnings, installed }: PreparedBody) =>
    verdict === 'yes' || warnings?.some(({ code }) => code === 'declared_conflict') ? installed.map((one) => one.name) : verdict;
  const truthOf = ({ ok, installed = [] }: RecordedPair) => (ok ? [...installed].sort() : 'no');

  it('prepare knows what the real tool does', async () => {
    const answers = [];
    for (const { id, profile, packages, diff_packages } of asked) {
      const { status, body } = await askFor(name, packages, { profile, diff_packages });
      answers.push([id, status, answerOf(body)]);
    }
    expect(answers).toEqual(asked.map((pair) => [pair.id, 200, truthOf(pair)]));
  });
});

describe('prepare explains', () => {
  it('a default package that another one replaces', async () => {
    const { body } = await askFor('apk-25.12-x86', ['dnsmasq-full']);
    expect(body).toMatchObject({ verdict: 'yes', problems: [], replaced_defaults: [{ package: 'dnsmasq', by: 'dnsmasq-full' }] });
    expect(body.lost_defaults).toEqual([]);
  });

  it('a name that ImageBuilder exchanges', async () => {
    const { body } = await askFor('apk-25.12-x86', ['luajit']);
    expect(body.rewritten).toMatchObject({ luajit: ['luajit2'] });
    expect(body.installed.map(({ name }) => name)).toContain('luajit2');
  });

  it('a name that several packages provide, with those to choose from', async () => {
    const { body } = await askFor('apk-25.12-x86', ['wpad-any']);
    expect(body).toMatchObject({ verdict: 'no', virtual: [{ name: 'wpad-any', providers: ['wpad'] }] });
    expect(body.problems[0]?.choices).toEqual(['wpad']);
  });

  it('a removal that has no effect, with the packages that need the package', async () => {
    const { body } = await askFor('apk-25.12-x86', ['-netifd']);
    expect(body.verdict).toBe('yes');
    expect(body.ineffective_removals).toEqual([{ package: 'netifd', needed_by: [expect.any(String)] }]);
    expect(body.installed.find(({ name }) => name === 'netifd')).toMatchObject({ why: 'dependency', needed_by: [expect.any(String)] });
  });

  it('two packages that exclude each other', async () => {
    const { body } = await askFor('opkg-am', ['luci-app-upnp', 'miniupnpd']);
    expect(body).toMatchObject({ verdict: 'no', installed: [] });
    expect([...body.conflicts, ...body.virtual]).not.toEqual([]);
  });

  it('an unknown package, with a similar name', async () => {
    const { body } = await askFor('apk-25.12-x86', ['tcpdmp']);
    expect(body).toMatchObject({ verdict: 'no', missing: ['tcpdmp'] });
    expect(body.problems).toEqual([expect.objectContaining({ code: 'missing', package: 'tcpdmp', chain: [], choices: ['tcpdump'] })]);
  });

  it('default packages that an absolute list loses, and which of them can lock the owner out', async () => {
    const { default_packages = [] } = worlds.get('apk-25.12-x86') ?? {};
    const packages = default_packages.filter((name) => name !== 'dropbear' && name !== 'ppp-mod-pppoe');
    const { body } = await askFor('apk-25.12-x86', packages, { diff_packages: true });
    expect(body.lost_defaults).toEqual(
      expect.arrayContaining([
        { package: 'dropbear', critical: true },
        { package: 'ppp-mod-pppoe', critical: false },
      ]),
    );
  });

  it('each package of the image, and how much they take together', async () => {
    const { body } = await askFor('apk-25.12-x86', ['tcpdump']);
    expect(body.installed.find(({ name }) => name === 'tcpdump')).toMatchObject({ why: 'requested' });
    expect(body.installed.find(({ name }) => name === 'kernel')).toMatchObject({ why: 'default' });
    expect(body.installed.filter(({ why, needed_by = [] }) => why === 'dependency' && needed_by.length === 0)).toEqual([]);
    expect(body.installed_size).toBe(body.installed.reduce((sum, { size }) => sum + size, 0));
  });
});

describe('prepare is unsure', () => {
  it('while the index of a feed cannot be had', async () => {
    const path = 'releases/25.12.0/packages/x86_64/routing/packages.adb';
    const file = upstream.files.get(path);
    upstream.files.delete(path);
    const other = prepareFunction();
    const { body } = await other({ ...WORLDS['apk-25.12-x86'], profile: 'generic', packages: ['dnsmasq', 'libwolfssl'] });
    expect(body).toMatchObject({ verdict: 'unsure', verdict_reason: expect.any(String), problems: [] });
    if (file !== undefined) upstream.files.set(path, file);
  });

  it('of a branch whose package manager was not compared, before it says no', async () => {
    const request = { version: '22.03.5', target: 'mvebu/cortexa9', profile: 'linksys_wrt3200acm' };
    const possible = await ask({ ...request, packages: ['luci'] });
    expect(possible.body).toMatchObject({ problems: [], verdict: 'yes' });
    const { body } = await ask({ ...request, packages: ['luci-app-upnp', 'miniupnpd'] });
    expect(body).toMatchObject({ verdict: 'unsure', verdict_reason: expect.stringContaining('22.03') });
    expect(body.problems).not.toEqual([]);
  });

  it('where only the name that ImageBuilder makes of a word cannot be had, until it is known whether it does so', async () => {
    const { body } = await askFor('apk-25.12-x86', ['libmbedtls-any']);
    expect(body).toMatchObject({ verdict: 'unsure', verdict_reason: expect.stringContaining('ImageBuilder') });
  });
});
