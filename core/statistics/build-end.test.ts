import { describe, expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { cancelled, done, failed, freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { buildEnd } from './build-end.ts';

const output = {
  metadata: { default_packages: ['base-files', 'dnsmasq'] },
  profile: { device_packages: ['kmod-usb2', '-ppp'], images: [] },
};
const hash = freshHash();
const order = sampleOrder(hash, ['vim', 'base-files', 'kmod-usb2', '-dnsmasq', 'luci']);
const subject = { branch: '24.10', version: '24.10.2', target: 'x86/64', profile: 'generic' };
const finished = done(running(queued(hash), 'a'));

describe('buildEnd', () => {
  it('has the duration of a success and the packages requested beyond the usual ones', () => {
    expect(buildEnd(finished, order, DEFAULT_BRANCHES, output)).toEqual({
      hash,
      enqueuedAt: finished.enqueuedAt,
      endedAt: finished.finishedAt,
      outcome: 'success',
      milliseconds: 4 * 60_000,
      subject,
      packages: ['vim', 'luci'],
    });
  });

  it('counts another distribution under its own name', () => {
    const other = { ...order, request: { ...order.request, distro: 'immortalwrt' } };
    expect(buildEnd(finished, other, DEFAULT_BRANCHES, output)).toMatchObject({
      subject: { ...subject, branch: 'immortalwrt/24.10', version: 'immortalwrt/24.10.2' },
    });
  });

  it('names no packages when they may be private', () => {
    const withFeed = { ...order, request: { ...order.request, repositories: { mine: 'https://example.com/ok' } } };
    expect(buildEnd(finished, withFeed, DEFAULT_BRANCHES, output).packages).toEqual([]);
    expect(buildEnd({ ...finished, isPrivate: true }, order, DEFAULT_BRANCHES, output)).toMatchObject({ packages: [], subject });
    expect(buildEnd(finished, order, DEFAULT_BRANCHES).packages).toEqual([]);
  });

  it('has an anonymous error for a failure, and none for a private one', () => {
    const build = failed(running(queued(hash), 'a'), true);
    expect(buildEnd({ ...build, detail: `Error: ${hash}` }, order, DEFAULT_BRANCHES)).toMatchObject({
      outcome: 'failure',
      error: 'Error: [job-id]',
      packages: [],
    });
    expect(buildEnd({ ...build, isPrivate: true }, order, DEFAULT_BRANCHES)).not.toHaveProperty('error');
    expect(buildEnd(build, undefined, DEFAULT_BRANCHES)).not.toHaveProperty('subject');
  });

  it('accepts a cancelled build, and a version of no configured branch', () => {
    expect(buildEnd(cancelled(queued(hash)), order, [])).toMatchObject({
      outcome: 'cancelled',
      subject: { ...subject, branch: '24.10.2' },
    });
  });
});
