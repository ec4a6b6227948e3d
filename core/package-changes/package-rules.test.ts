import { describe, expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { publishedPackageChanges } from '#core/catalogue/published-package-changes.ts';
import { PACKAGE_RULES } from './package-rules.ts';

describe('the table', () => {
  it('names each rule once', () => {
    const ids = PACKAGE_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says in a sentence since when and why each rule applies', () => {
    for (const { reason, introducedIn, id } of PACKAGE_RULES) {
      expect(reason, id).toMatch(/^[A-Z].{20,}\.$/);
      if (/^\d/.test(introducedIn) && id !== 'english-languages') expect(reason, id).toContain(introducedIn);
    }
  });

  it('links whole commits or discussions', () => {
    for (const { link, id } of PACKAGE_RULES)
      if (link !== undefined) expect(link, id).toMatch(/^https:\/\/github\.com\/openwrt\/[a-z]+\/(?:commit\/[0-9a-f]{40}|pull\/\d+)$/);
  });

  it('puts a published change into the first branch that has its revision', () => {
    const releases = DEFAULT_BRANCHES.filter((branch) => branch.branch_off_rev !== undefined).toReversed();
    for (const { published, introducedIn, id } of PACKAGE_RULES) {
      if (published === undefined) continue;
      const first = releases.find((branch) => (branch.branch_off_rev ?? 0) >= published.revision);
      expect(introducedIn, id).toBe(first?.name ?? 'SNAPSHOT');
    }
  });
});

describe('publishedPackageChanges', () => {
  /** As recorded from the reference server, key order included. */
  const recorded = [
    '{"source":"firewall","target":"firewall4","revision":18611}',
    '{"source":"kmod-nft-nat6","revision":20282,"mandatory":true}',
    '{"source":"libustream-wolfssl","target":"libustream-mbedtls","revision":21994}',
    '{"source":"px5g-wolfssl","target":"px5g-mbedtls","revision":21994}',
    '{"source":"wpad-basic-wolfssl","target":"wpad-basic-mbedtls","revision":21994}',
    '{"source":"luci-app-diag-core","revision":25984,"mandatory":true}',
    '{"source":"auc","target":"owut","revision":26792}',
    '{"source":"luci-app-opkg","target":"luci-app-package-manager","revision":27897}',
    '{"source":"opkg","target":"apk-mbedtls","revision":28056}',
  ];

  it.each([
    ['SNAPSHOT', 9],
    ['25.12', 9],
    ['24.10', 8],
    ['23.05', 5],
    ['22.03', 1],
    ['21.02', 0],
  ])('of %s: the first %i', (name, count) => {
    const branch = DEFAULT_BRANCHES.find((candidate) => candidate.name === name);
    const changes = branch && publishedPackageChanges(branch);
    expect(changes?.map((change) => JSON.stringify(change))).toEqual(recorded.slice(0, count));
  });

  it('lets the operator decide', () => {
    const branch = { name: '1.2', path: 'releases/{version}', enabled: true };
    expect(publishedPackageChanges(branch)).toBeUndefined();
    const own = [{ source: 'a', target: 'b', revision: 1 }];
    expect(publishedPackageChanges({ ...branch, branch_off_rev: 99999, package_changes: own })).toEqual(own);
  });
});
