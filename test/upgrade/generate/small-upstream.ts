import { generateDemoUpstream } from '#demo/upstream/generate.ts';
import type { DemoTarget } from '#demo/upstream/targets.ts';
import { demoVersions } from '#demo/upstream/versions.ts';

const VERSION = '24.10.2';
const ALWAYS = ['base-files', 'busybox'];
const ASKED_FOR = [
  'aaa',
  'babeld',
  'batctl-default',
  'foe-a',
  'foe-b',
  'needs-missing',
  'qqq',
  'siproxd',
  'slow-install',
  'test1',
  'test2',
  'zzz',
];

/** Devices that make the catalogue's record so long that it is stored compressed; no build is for them. */
const manyDevices = Array.from({ length: 24 }, (_, i) => ({
  id: `demo_board-${i + 1}`,
  vendor: 'Demo',
  model: `Board ${i + 1}, which no build is for`,
  packages: [],
  supportedDevices: [`demo,board-${i + 1}`],
  images: [],
}));

const smallTarget: DemoTarget = {
  id: 'x86/64',
  arch: 'x86_64',
  cpu: 'x86_64',
  defaultPackages: () => ALWAYS,
  profiles: () => [
    {
      id: 'generic',
      vendor: 'Generic',
      model: 'x86/64',
      packages: [],
      supportedDevices: [],
      images: ['squashfs combined.img.gz'],
    },
    ...manyDevices,
  ],
  filesystems: ['squashfs'],
  rootfsPartsize: 104,
  publishes: ['libc', 'kernel', ...ALWAYS, ...ASKED_FOR],
  kernelBlocks: 16,
};

/** Writes an upstream with one version, one target and few packages. A recording keeps it, because its hashes stand for these bytes. */
export function generateSmallUpstream(directory: string): Promise<void> {
  return generateDemoUpstream(directory, {
    versions: demoVersions.filter(({ version }) => version === VERSION),
    targets: [smallTarget],
    list: { stable_version: VERSION, oldstable_version: '', upcoming_version: '', versions_list: [VERSION] },
  });
}
