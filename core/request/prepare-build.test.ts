import { describe, expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, PackageIndex, TargetRecord } from '#core/catalogue/catalogue.ts';
import { buildRequestParser } from './parse-build-request.ts';
import { preparationMemory } from './preparation-memory.ts';
import { prepareBuild } from './prepare-build.ts';

const record: TargetRecord = {
  version: '24.10.2',
  target: 'x86/64',
  versionPath: 'releases/24.10.2',
  arch: 'x86_64',
  revision: 'r28739-d9340319c6',
  defaultPackages: [],
  profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: {} } },
  metadata: {},
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) },
  indexes: { 'releases/24.10.2/packages/x86_64/base/Packages': 'b'.repeat(64) },
  fetchedAt: '2026-11-01T00:00:00.000Z',
};
const feeds = (packages: Record<string, string>): PackageIndex => ({
  architecture: 'x86_64',
  target: {},
  feeds: packages,
  aliases: [],
  complete: true,
});

/** Upstream as the next request sees it; tests change it. */
const upstream = { record, index: feeds({ vim: '9.1' }) };
const catalogue: Catalogue = {
  versions: async () => ({ list: ['24.10.2'] }),
  hasVersion: async () => true,
  hasArch: async () => true,
  targets: async () => ({ 'x86/64': 'x86_64' }),
  target: async () => upstream.record,
  packages: async () => upstream.index,
  feeds: async () => ({}),
};
const policy = { allowDefaults: false, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
const deps = { catalogue, policy, memory: preparationMemory() };
const request = buildRequestParser()({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim', 'auc'] });

describe('a request that comes again', () => {
  it('has the same answer while upstream stays the same', async () => {
    expect(await prepareBuild(deps, request)).toEqual(await prepareBuild(deps, request));
  });

  it('is prepared once, although each request is an object of its own', async () => {
    const first = await prepareBuild(deps, { ...request });
    expect((await prepareBuild(deps, { ...request })).resolved).toBe(first.resolved);
    expect((await prepareBuild({ catalogue, policy }, request)).resolved).not.toBe(first.resolved);
  });

  it('is prepared again when it has a first-boot script, which no memory holds', async () => {
    const open = { ...deps, policy: { ...policy, allowDefaults: true } };
    const withDefaults = { ...request, defaults: 'echo secret' };
    expect((await prepareBuild(open, withDefaults)).resolved).not.toBe((await prepareBuild(open, withDefaults)).resolved);
  });

  it('is another build when upstream has another revision or other indexes', async () => {
    const first = await prepareBuild(deps, request);
    upstream.record = { ...record, revision: 'r28800-0123456789' };
    const second = await prepareBuild(deps, request);
    upstream.record = { ...record, indexes: { 'releases/24.10.2/packages/x86_64/base/Packages': 'c'.repeat(64) } };
    const third = await prepareBuild(deps, request);
    expect(new Set([first, second, third].map(({ hash }) => hash)).size).toBe(3);
    expect(second.valid.record.revision).toBe('r28800-0123456789');
  });

  it('reports packages that upstream no longer has, and not those that it has now', async () => {
    upstream.index = feeds({ vim: '9.1' });
    expect((await prepareBuild(deps, request)).missing).toEqual(['owut']);
    upstream.index = feeds({ owut: '1', vim: '9.1' });
    expect((await prepareBuild(deps, request)).missing).toEqual([]);
  });

  it('is warned of what the index says of conflicts, and stays the same build whether the index says it or not', async () => {
    const both = { ...request, packages: ['vim', 'owut'] };
    upstream.index = feeds({ owut: '1', vim: '9.1' });
    const before = await prepareBuild(deps, both);
    upstream.index = { ...feeds({ owut: '1', vim: '9.1' }), conflicts: { owut: ['vim'] } };
    const after = await prepareBuild(deps, both);
    expect([before.warnings, after.warnings]).toEqual([[], [expect.objectContaining({ packages: ['owut', 'vim'] })]]);
    expect(after.hash).toBe(before.hash);
  });

  it('is left unchanged for a client that skips the resolution, and resolved for others', async () => {
    const packages = async (skipResolution: boolean) => (await prepareBuild(deps, request, { skipResolution })).resolved.packages;
    expect([await packages(false), await packages(true), await packages(false)]).toEqual([
      ['vim', 'owut'],
      ['vim', 'auc'],
      ['vim', 'owut'],
    ]);
  });

  it('is refused when the policy has changed', async () => {
    const withDefaults = buildRequestParser()({ ...request, defaults: 'true' });
    await prepareBuild({ ...deps, policy: { ...policy, allowDefaults: true } }, withDefaults);
    await expect(prepareBuild(deps, withDefaults)).rejects.toThrow(/defaults/i);
  });
});

/** An upstream that has published an index, while the server's copy is still the one before. */
function lateCatalogue(published: PackageIndex, copy: PackageIndex = feeds({})) {
  const asked: boolean[] = [];
  const copies = { old: { ...record }, fresh: { ...record } };
  const late: Catalogue = {
    ...catalogue,
    target: async (_version, _path, _target, { fresh = false } = {}) => {
      asked.push(fresh);
      return fresh ? copies.fresh : copies.old;
    },
    packages: async (one) => (one === copies.fresh ? published : copy),
  };
  return { late, asked };
}

describe('a package that the server does not know', () => {
  it.each([true, false])('is missing only when upstream does not have it either (with a memory: %s)', async (hasMemory) => {
    const { late, asked } = lateCatalogue(feeds({ vim: '9.1', owut: '1' }));
    const from = { catalogue: late, policy, ...(hasMemory && { memory: preparationMemory() }) };
    expect((await prepareBuild(from, request)).missing).toEqual([]);
    expect(asked).toEqual([false, true]);
  });

  it('is asked for once more, and no more than once', async () => {
    const { late, asked } = lateCatalogue(feeds({ vim: '9.1' }));
    expect((await prepareBuild({ catalogue: late, policy }, request)).missing).toEqual(['owut']);
    expect(asked).toEqual([false, true]);
  });
});

describe('a version that the feeds do not have', () => {
  const versioned = buildRequestParser()({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages_versions: { vim: '9.1' } });
  const having = (vim: string) => ({ ...feeds({ vim }), uncertain: [] });

  it('is accepted when upstream has it by now', async () => {
    const { late, asked } = lateCatalogue(having('9.1'), having('9.0'));
    expect((await prepareBuild({ catalogue: late, policy }, versioned)).outdated).toEqual([]);
    expect(asked).toEqual([false, true]);
  });

  it('is named after upstream was asked once more', async () => {
    const { late, asked } = lateCatalogue(having('9.2'), having('9.0'));
    const { outdated } = await prepareBuild({ catalogue: late, policy }, versioned);
    expect(outdated).toEqual([{ name: 'vim', required: '9.1', found: '9.2' }]);
    expect(asked).toEqual([false, true]);
  });

  it('is left to the build where the client has repositories of its own', async () => {
    const { late } = lateCatalogue(having('9.2'), having('9.0'));
    const own = { ...versioned, repositories: { mine: 'https://example.org/packages' } };
    const open = { ...policy, repositoryAllowList: ['https://example.org'] };
    expect((await prepareBuild({ catalogue: late, policy: open }, own)).outdated).toEqual([]);
  });
});

describe('a package that upstream marks with a tilde', () => {
  const marked = {
    ...record,
    profiles: { generic: { id: 'generic', devicePackages: ['kmod-x', '~boot-blob'], supportedDevices: [], raw: {} } },
  };
  const parse = buildRequestParser();
  const ask = async (packages: string[], options = {}) => {
    upstream.record = marked;
    upstream.index = feeds({ vim: '9.1' });
    return prepareBuild(deps, parse({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages }), options);
  };

  it.each([false, true])('leaves the list of a client that copied it from upstream (skipResolution %s)', async (skipResolution) => {
    const prepared = await ask(['vim', '~boot-blob', '-~other'], { skipResolution });
    expect(prepared.missing).toEqual([]);
    expect(prepared.resolved.packages).toEqual(['vim', '-~other']);
    expect(prepared.changes).toEqual([
      {
        type: 'removal',
        action: 'remove',
        package: '~boot-blob',
        reason: 'Upstream marks this package as one that is not installed',
        automatic: true,
      },
    ]);
    expect((await prepareBuild(deps, prepared.resolved, { skipResolution })).hash).toBe(prepared.hash);
  });

  it('is unknown where upstream publishes none of that name', async () => {
    expect((await ask(['~nosuch'])).missing).toEqual(['~nosuch']);
  });

  it('cannot be required in a version', async () => {
    upstream.record = marked;
    const versioned = parse({
      version: '24.10.2',
      target: 'x86/64',
      profile: 'generic',
      packages_versions: { vim: '9.1', '~boot-blob': '' },
    });
    expect((await prepareBuild(deps, versioned)).resolved.packages_versions).toEqual({ vim: '9.1' });
  });

  it('has no other odd character', () => {
    for (const name of ['~', '~~a', 'a~b', '~/a', '-~', '~a b', '~$(id)'])
      expect(() => parse({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: [name] })).toThrow();
  });
});

describe('a device of which upstream has only an initramfs', () => {
  const withImages = (images: unknown): TargetRecord => ({
    ...record,
    profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: { images } } },
  });
  const initramfs = [{ filesystem: 'initramfs', name: 'x-initramfs-kernel.bin', type: 'kernel' }];
  const sysupgrade = [...initramfs, { filesystem: 'squashfs', name: 'x-squashfs-sysupgrade.bin', type: 'sysupgrade' }];

  it('is refused in the words of an unsupported profile', async () => {
    upstream.record = withImages(initramfs);
    await expect(prepareBuild(deps, request)).rejects.toMatchObject({
      status: 400,
      message:
        'Unsupported profile: generic. Upstream makes no firmware image for this device in this version, at most an initramfs. Please check the forums for more information.',
    });
  });

  it('is refused only after upstream was asked again', async () => {
    const moved = {
      ...catalogue,
      target: async (...[, , , options]: Parameters<Catalogue['target']>) => withImages(options?.fresh ? sysupgrade : initramfs),
    };
    upstream.index = feeds({ vim: '9.1', owut: '1' });
    expect((await prepareBuild({ ...deps, catalogue: moved }, request)).resolved.profile).toBe('generic');
  });

  it('has the hash that it had before its images were looked at', async () => {
    upstream.record = record;
    const { hash } = await prepareBuild(deps, request);
    upstream.record = withImages(sysupgrade);
    expect((await prepareBuild(deps, request)).hash).toBe(hash);
  });
});
