import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import type { PackageIndex } from './catalogue.ts';
import { outdatedVersions } from './outdated-versions.ts';
import { type FeedIndex, mergeFeeds, packageIndex } from './package-index.ts';

const feed = (packages: Record<string, string>, aliases: string[] = []): FeedIndex => ({ packages, aliases, complete: true });
const merged = (...feeds: FeedIndex[]): FeedIndex => finished(mergeFeeds(feeds));
const index = (target: FeedIndex, ...feeds: FeedIndex[]): PackageIndex => packageIndex(merged(target), merged(...feeds), 'x86_64');
const kernel = feed({ 'kmod-x': '6.6-r1' });

describe('outdatedVersions', () => {
  it('names a package that the feeds have in another version, with both', () => {
    const some = index(kernel, feed({ vim: '9.1-r1', owut: '1' }));
    expect(outdatedVersions({ vim: '9.0-r1', owut: '1', nano: '7' }, some)).toEqual([{ name: 'vim', required: '9.0-r1', found: '9.1-r1' }]);
  });

  it('requires nothing of an empty version and of a removal', () => {
    expect(outdatedVersions({ vim: '', '-vim': '1' }, index(kernel, feed({ vim: '9.1-r1' })))).toEqual([]);
  });

  it.each<[why: string, index: PackageIndex]>([
    ['an index is incomplete', { ...index(kernel, feed({ vim: '2' })), complete: false }],
    ['two feeds list two versions', index(kernel, feed({ vim: '1' }), feed({ vim: '2' }))],
    ['one feed lists two versions', index(kernel, { ...feed({ vim: '2' }), uncertain: ['vim'] })],
    ['the target lists it too', index(feed({ 'kmod-x': '1', vim: '1' }), feed({ vim: '2' }))],
    ['only the target lists it', index(feed({ vim: '2' }), feed({ owut: '1' }))],
    ['another package provides it', index(kernel, feed({ vim: '2', 'vim-full': '1' }, ['vim']))],
    ['the index is of an earlier version of the server', packageIndex(kernel, feed({ vim: '2' }), 'x86_64')],
  ])('says nothing where %s', (_, some) => {
    expect(outdatedVersions({ vim: '1' }, some)).toEqual([]);
  });

  it.each(['kernel', 'libc', 'base-files'])('says nothing about %s, which the ImageBuilder brings', (name) => {
    expect(outdatedVersions({ [name]: '1' }, index(kernel, feed({ [name]: '2' })))).toEqual([]);
  });
});
