import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifyFailure, type FailedRun } from './classify-failure.ts';

interface RecordedFailure extends FailedRun {
  readonly case: string;
  readonly manager: 'opkg' | 'apk';
}

/** The output of real ImageBuilders (24.10.2 with opkg, 25.12.0 with apk). */
const recorded: RecordedFailure[] = JSON.parse(readFileSync(new URL('./fixtures/failures.json', import.meta.url), 'utf8'));

/** What the jobs of other images print meanwhile, in the words of scripts/gen_image_generic.sh, dd, mksquashfs and make_ext4fs. */
const OTHERS = [
  '+ OUTPUT=/builder/build_dir/target-x86_64_musl/linux-x86_64/tmp/openwrt-x86-64-generic-squashfs-combined.img.gz',
  '+ KERNELSIZE=16',
  '+ ROOTFSSIZE=104',
  '+ rm -f /builder/build_dir/target-x86_64_musl/linux-x86_64/tmp/openwrt-x86-64-generic-squashfs-combined.img.gz',
  '212992+0 records in',
  '212992+0 records out',
  '109051904 bytes (109 MB, 104 MiB) copied, 0.352104 s, 310 MB/s',
  'mkfs.fat 4.2 (2021-01-31)',
  'Parallel mksquashfs: Using 1 processor',
  'Creating 4.0 filesystem on /builder/build_dir/target-x86_64_musl/linux-x86_64/root.squashfs, block size 262144.',
  'Exportable Squashfs 4.0 filesystem, xz compressed, data block size 262144',
  'Number of duplicate files found 4',
  '/builder/build_dir/target-x86_64_musl/linux-x86_64/root.squashfs => 4.2 MiB',
  'padding image to 00423000',
  "make[5]: Entering directory '/builder/target/linux/x86/image'",
  'make[5]: *** Waiting for unfinished jobs....',
] as const;

/** Jobs that make images run only in the last step: where packages could not be installed, none has begun. */
const failsInImages = ({ stderr }: FailedRun): boolean => !/package_install\] Error/.test(stderr);

/** Puts lines of other jobs between all lines, another number of them each time. */
const woven = (text: string): string =>
  text
    .split('\n')
    .flatMap((line, at) => [...OTHERS.slice(at % OTHERS.length, (at % OTHERS.length) + (at % 4)), line])
    .join('\n');

const before = (text: string): string => `${OTHERS.join('\n')}\n${text}`;
const after = (text: string): string => `${text}\n${OTHERS.join('\n')}\n`;

/** With `--output-sync` the output of a job stays together, without it lines come in between. */
const SHAPES: readonly (readonly [string, (text: string) => string])[] = [
  ['before it', before],
  ['after it', after],
  ['on both sides', (text) => before(after(text))],
  ['between its lines', woven],
];

describe.each(SHAPES)('output of other jobs %s', (_shape, mix) => {
  it.each(recorded.filter(failsInImages).map((failure) => [failure.manager, failure.case, failure] as const))(
    'changes nothing of %s: %s',
    (_manager, _case, failure) => {
      const alone = classifyFailure(failure);
      expect(classifyFailure({ ...failure, stderr: mix(failure.stderr) })).toEqual(alone);
      expect(classifyFailure({ ...failure, stdout: mix(failure.stdout) })).toEqual(alone);
      expect(classifyFailure({ ...failure, stdout: mix(failure.stdout), stderr: mix(failure.stderr) })).toEqual(alone);
    },
  );
});

it('has recorded failures of images, and leaves out none but those of packages', () => {
  const images = recorded.filter(failsInImages);
  expect(images.length).toBeGreaterThan(3);
  for (const failure of recorded.filter((one) => !images.includes(one)))
    expect(classifyFailure(failure).errors?.every(({ code }) => code !== 'image_too_big') ?? true).toBe(true);
});

const COMPLAINTS = [
  '    WARNING: Image file /builder/build_dir/target-mips_24kc_musl/linux-ath79_generic/tmp/a-squashfs-factory.bin is too big: 9 > 8',
  '    WARNING: Image file /builder/build_dir/target-mips_24kc_musl/linux-ath79_generic/tmp/a-squashfs-sysupgrade.bin is too big: 9 > 8',
  'tplink-safeloader: file-system partition too big (more than 7798784 bytes)',
] as const;

it('names what is too big in the same order, whichever job complains first', () => {
  const failed = (lines: readonly string[]) => classifyFailure({ exitCode: 0, stdout: '', stderr: `${lines.join('\n')}\n` });
  const [a, b, c] = COMPLAINTS;
  for (const order of [
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ])
    expect(failed(order)).toEqual(failed(COMPLAINTS));
});
