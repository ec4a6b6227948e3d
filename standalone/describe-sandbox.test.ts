import { describe, expect, it } from 'vitest';
import { describeSandbox } from './describe-sandbox.ts';

describe('describeSandbox', () => {
  it('says what a build reaches, and what to do about it', () => {
    const text = describeSandbox({ level: 'plain', network: 'shared', memory: 'watched', tmp: 'shared', unsigned: 'refused' }, 4096);
    expect(text).toContain('sandbox plain');
    expect(text).toContain('4096 MB for a build, watched');
    expect(text).toContain('credentials of a cloud');
    expect(text).toContain('without a known signature are refused');
    expect(text).toContain('install bubblewrap');
  });

  it('has nothing to recommend where builds are kept from everything', () => {
    const text = describeSandbox({ level: 'bwrap', network: 'none', memory: 'cgroup v2', tmp: 'own', unsigned: 'built' }, 1024);
    expect(text).toContain('held by the kernel (cgroup v2)');
    expect(text).not.toContain('Better:');
  });
});
