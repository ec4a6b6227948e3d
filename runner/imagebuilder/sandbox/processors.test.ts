import { expect, it } from 'vitest';
import { usableProcessors } from './processors.ts';

const V2 = '30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw\n';
const V1 =
  '31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n';

const withFiles = (processors: number, files: Record<string, string>) => usableProcessors(processors, async (path) => files[path] ?? '');

it('is the number of processors where no cgroup has a quota', async () => {
  expect(await withFiles(8, {})).toBe(8);
  const files = { '/proc/self/cgroup': '0::/system.slice/asu.service\n', '/proc/self/mountinfo': V2 };
  expect(await withFiles(8, { ...files, '/sys/fs/cgroup/system.slice/asu.service/cpu.max': 'max 100000\n' })).toBe(8);
});

it('is the quota of a container, whose cgroup is mounted as the top', async () => {
  const files = { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': V2, '/sys/fs/cgroup/cpu.max': '150000 100000\n' };
  expect(await withFiles(8, files)).toBe(1.5);
  expect(await withFiles(1, files)).toBe(1);
});

it('is the least quota of the cgroup and those above it', async () => {
  const files = {
    '/proc/self/cgroup': '0::/system.slice/asu.service/asu-server\n',
    '/proc/self/mountinfo': V2,
    '/sys/fs/cgroup/system.slice/cpu.max': '600000 100000\n',
    '/sys/fs/cgroup/system.slice/asu.service/cpu.max': '400000 100000\n',
  };
  expect(await withFiles(16, files)).toBe(4);
  expect(await withFiles(16, { ...files, '/sys/fs/cgroup/system.slice/cpu.max': '200000 100000\n' })).toBe(2);
});

it('is the quota of version 1', async () => {
  const cgroup = '/sys/fs/cgroup/cpu,cpuacct/docker/ab';
  const files = {
    '/proc/self/cgroup': '4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n0::/\n',
    '/proc/self/mountinfo': V1,
    [`${cgroup}/cpu.cfs_quota_us`]: '300000\n',
    [`${cgroup}/cpu.cfs_period_us`]: '100000\n',
  };
  expect(await withFiles(8, files)).toBe(3);
  expect(await withFiles(8, { ...files, [`${cgroup}/cpu.cfs_quota_us`]: '-1\n' })).toBe(8);
});
