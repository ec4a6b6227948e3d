import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { indexFilesOf, packagesOf, type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { BuildFailure, InfrastructureFailure } from './build-output.ts';
import { classifyFailure } from './classify-failure.ts';
import { type Fetched, NOTHING_FETCHED } from './download-troubles.ts';
import { explainFailure, type FailureFacts } from './explain-failure.ts';
import type { ExplainedProblem } from './explain-problems.ts';
import { outputLines } from './failure-analysis.ts';
import { PROBLEM_CODES } from './problem-codes.ts';

/** What real ImageBuilders printed for requests that failed. */
interface Recorded {
  readonly case: string;
  readonly manager: string;
  readonly exitCode: number;
  readonly packages?: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
}
const failures: readonly Recorded[] = JSON.parse(readFileSync(new URL('./fixtures/failures.json', import.meta.url), 'utf8'));

const FACTS = {
  packages: [] as readonly string[],
  defaultPackages: ['base-files', 'libc', 'dnsmasq', 'netifd', 'wpad-basic-mbedtls'],
  fetched: NOTHING_FETCHED,
  filesystem: null,
  filesystems: ['squashfs', 'ext4'],
  repositories: {},
};

/** Returns the problems that a client reads of a run of make. */
function problemsOf(
  run: { exitCode: number; stdout?: string; stderr: string },
  facts: Partial<FailureFacts> = {},
): readonly ExplainedProblem[] {
  const { exitCode, stdout = '', stderr } = run;
  const all = { ...FACTS, ...facts, lines: outputLines(stdout, stderr) };
  const { kind, detail, errors } = classifyFailure({ exitCode, stdout, stderr }, all.repositories, all.fetched);
  const evidence = errors === undefined ? {} : { errors };
  const failure = kind === 'deterministic' ? new BuildFailure(detail, evidence) : new InfrastructureFailure(detail, { evidence });
  const explained = explainFailure(failure, all) as BuildFailure;
  expect([explained.message, explained.constructor]).toEqual([failure.message, failure.constructor]);
  return (explained.evidence.errors ?? []) as readonly ExplainedProblem[];
}

const listed = (...names: string[]): Fetched => ({ ...NOTHING_FETCHED, listed: new Set(names) });
const recordedRun = (manager: string, name: string): Recorded => {
  const found = failures.find((one) => one.manager === manager && one.case === name);
  if (found === undefined) throw new Error(`no record of ${manager}: ${name}`);
  return found;
};
const opkg = (...lines: string[]) => ({ exitCode: 2, stderr: `${lines.join('\n')}\n` });

describe('what real ImageBuilders printed', () => {
  it.each(failures.map((one) => [`${one.manager}: ${one.case}`, one] as const))(
    'is explained by a code, words and a remedy: %s',
    (_, run) => {
      const problems = problemsOf(run, { packages: run.packages ?? [] });
      expect(problems.length).toBeGreaterThan(0);
      for (const { code, detail, message, suggestion } of problems) {
        expect(Object.keys(PROBLEM_CODES)).toContain(code);
        expect([detail, suggestion]).toEqual([message, expect.stringMatching(/^[A-Z].+\.$/)]);
      }
    },
  );
});

describe('what opkg and apk said of hundreds of requests', () => {
  it.each(['opkg-am', 'opkg-mutated', 'apk-25.12-x86', 'apk-25.12-ath79', 'apk-cunliu', 'apk-mutated'])(
    'is explained, with a chain from a word of the request where opkg shows one: %s',
    (name) => {
      const world = recorded<RecordedWorld>(name);
      const names = indexFilesOf(world).flatMap((file) => packagesOf(world, file).map((one) => one.name));
      // Some recordings of opkg end before the line that says which package it gave up.
      const isWhole = (errors: readonly string[]) => errors.some((line) => /Cannot install package|unable to select packages/.test(line));
      const refused = world.pairs.filter(({ ok, errors = [] }) => !ok && isWhole(errors));
      expect(refused.length).toBeGreaterThan(5);
      for (const { id, user, errors = [], profile } of refused) {
        const defaultPackages = [...world.default_packages, ...(world.profiles[profile] ?? [])];
        const problems = problemsOf(opkg(...errors), { packages: user, defaultPackages, fetched: listed(...names) });
        expect(problems.length, id).toBeGreaterThan(0);
        for (const problem of problems) {
          const { package: about = '', chain = [], detail = '', suggestion = '' } = problem;
          expect([id, about, suggestion]).toEqual([id, expect.stringMatching(/./), expect.stringMatching(/^[A-Z].+\.$/)]);
          expect(detail, id).toContain(about);
          if (world.manager === 'opkg' && problem.code === 'dependency_missing')
            expect([id, user.includes(chain[0] ?? '') || defaultPackages.includes(chain[0] ?? '')]).toEqual([id, true]);
          const [, removed] = /^Add -(\S+) to the packages/.exec(suggestion) ?? [];
          if (removed !== undefined)
            expect([id, defaultPackages, user]).toEqual([id, expect.arrayContaining([removed]), expect.not.arrayContaining([removed])]);
        }
      }
    },
  );
});

describe('a package that does not exist', () => {
  const unknown = (name: string) => opkg(` * opkg_install_cmd: Cannot install package ${name}.`);
  it.each([
    ['its successor', 'auc', ['owut', 'auc2'], 'Ask for owut instead.'],
    ['the closest names', 'tmuxx', ['tmux', 'tmuxy', 'vim'], 'Ask for tmux or tmuxy instead.'],
    ['nothing where no name is close', 'nosuchpkg', ['tmux'], 'Leave out nosuchpkg, or correct its name.'],
    ['nothing where the names are not known', 'auc', [], 'Leave out auc, or correct its name.'],
  ])('suggests %s', (_, name, names, suggestion) => {
    expect(problemsOf(unknown(name), { packages: [name], fetched: listed(...names) })).toEqual([
      {
        code: 'package_missing',
        packages: [name],
        package: name,
        chain: [],
        message: `${name} does not exist`,
        detail: `${name} does not exist`,
        suggestion,
      },
    ]);
  });

  it('names the chain of dependencies from the word of the request', () => {
    const [problem] = problemsOf(
      opkg(
        ' * pkg_hash_check_unresolved: cannot find dependency libbar (>= 2) for libfoo',
        ' * pkg_hash_check_unresolved: cannot find dependency libfoo for middle',
        ' * pkg_hash_check_unresolved: cannot find dependency middle for luci-app-x',
        ' * opkg_install_cmd: Cannot install package luci-app-x.',
      ),
      { packages: ['luci-app-x'], fetched: listed('libbar') },
    );
    expect(problem).toMatchObject({
      code: 'dependency_missing',
      package: 'libbar',
      chain: ['luci-app-x', 'middle', 'libfoo'],
      suggestion: 'Leave out luci-app-x, or ask again later: libbar is only there in another version.',
    });
  });

  it('may be a kernel module for another kernel', () => {
    const lines = [
      ' * pkg_hash_check_unresolved: cannot find dependency kernel (= 6.6.65~8d4a6e2f-r1) for kmod-usb2',
      ' * opkg_install_cmd: Cannot install package kmod-usb2.',
    ];
    expect(problemsOf(opkg(...lines))).toMatchObject([
      { package: 'kernel', chain: ['kmod-usb2'], suggestion: expect.stringMatching(/another kernel/) },
    ]);
  });

  it('may be a virtual one, of which the request chooses a provider', () => {
    const text = [
      'ERROR: unable to select packages:',
      '  libfoo-any (virtual):',
      '    provided by: libfoo-a libfoo-b',
      '    required by: needs-1.0-r1[libfoo-any]',
    ];
    expect(problemsOf(opkg(...text), { packages: ['needs'] })).toMatchObject([
      { code: 'package_missing', package: 'libfoo-any', chain: ['needs'], suggestion: 'Choose one of libfoo-a, libfoo-b.' },
    ]);
  });

  it('may be a word that the ImageBuilder has rewritten', () => {
    const text = ['ERROR: unable to select packages:', '  libmbedtls-any21 (no such package):', '    required by: world[libmbedtls-any21]'];
    const [problem] = problemsOf(opkg(...text), { packages: ['libmbedtls-any'] });
    expect(problem?.suggestion).toMatch(/reads libmbedtls-any as libmbedtls-any21, .* by its own name\.$/);
  });
});

describe('two packages that cannot be together', () => {
  const run = recordedRun('opkg', 'dnsmasq-full without -dnsmasq');
  it('are one of the request and a default one, which the request can remove', () => {
    expect(problemsOf(run, { packages: ['dnsmasq-full'] })).toMatchObject([
      {
        code: 'file_clash',
        package: 'dnsmasq',
        suggestion: 'Add -dnsmasq to the packages: dnsmasq is there by default, and cannot be beside dnsmasq-full.',
      },
    ]);
  });

  it.each([
    ['both of the request', { packages: ['dnsmasq', 'dnsmasq-full'] }, 'Leave out dnsmasq or dnsmasq-full.'],
    [
      'one of the request and a dependency',
      { packages: ['dnsmasq-full'], defaultPackages: [] },
      'Leave out dnsmasq-full, or the package that needs dnsmasq.',
    ],
    ['no words of the request', { packages: ['x'], defaultPackages: [] }, 'Leave out a package that needs one of them.'],
  ])('are %s', (_, facts, suggestion) => {
    expect(problemsOf(run, facts)[0]?.suggestion).toBe(suggestion);
  });

  it('are never the C library and something that needs another version of it', () => {
    const text = [
      'ERROR: unable to select packages:',
      '  libc-1.2.5-r5:',
      '    breaks: odd-1.0-r1[libc<=1_rc1]',
      '    satisfies: world[libc=1.2.5-r5]',
    ];
    expect(problemsOf(opkg(...text), { packages: ['odd'] })).toMatchObject([
      {
        code: 'package_conflict',
        needed: 'libc<=1_rc1',
        needed_by: 'odd',
        suggestion: 'Leave out odd, or ask again later: it needs libc<=1_rc1.',
      },
    ]);
  });
});

describe('an image that is too big', () => {
  it('has the bytes that it needs, those that there are, and by how many it is too big', () => {
    expect(problemsOf(recordedRun('opkg', 'too big flash'))).toMatchObject([
      { needed_bytes: 24_444_932, available_bytes: 16_384_000, suggestion: 'Leave out packages: 8060932 bytes are too many.' },
    ]);
  });

  it('may have a partition that the request can make larger, or another file system', () => {
    const [problem] = problemsOf(recordedRun('opkg', 'too big ext4, with sizes'), { filesystem: 'ext4' });
    expect(problem).toMatchObject({
      available_bytes: 109_051_904,
      suggestion: 'Leave out packages, or set a larger rootfs_size_mb, or pick another filesystem (squashfs).',
    });
    expect(problem?.needed_bytes).toBeGreaterThan(109_051_904);
  });

  it('is told the size that is enough, where it is known', () => {
    const errors = [{ code: 'image_too_big', part: 'rootfs', setting: 'rootfs_size_mb', message: 'too small' }];
    const failure = new BuildFailure('Selected packages exceed device storage: too small; a rootfs_size_mb of 150 is enough', { errors });
    const { evidence } = explainFailure(failure, { ...FACTS, lines: [] }) as BuildFailure;
    expect(evidence.errors).toMatchObject([{ suggestion: 'Leave out packages, or set rootfs_size_mb to 150.' }]);
  });

  it('is understood in the words of the makers’ tools', () => {
    const stderr = 'mktplinkfw: images are too big by 131072 bytes\n';
    expect(problemsOf({ exitCode: 2, stderr })[0]?.suggestion).toBe('Leave out packages: 131072 bytes are too many.');
  });
});

describe('a failed download', () => {
  it.each(['opkg', 'apk'])('names the file and its feed, and asks to come again (%s)', (manager) => {
    const [problem] = problemsOf(recordedRun(manager, 'one feed is gone'), { packages: ['luci'] });
    expect(problem).toMatchObject({
      code: 'download_failed',
      feed: 'nothere',
      url: expect.stringContaining('/packages/x86_64/nothere/'),
      detail: expect.stringContaining('nothere'),
      suggestion: 'Ask again in a few minutes: the server could not read the feed nothere.',
    });
  });

  it('names each feed once', () => {
    const feeds = problemsOf(recordedRun('apk', 'no feeds')).map((problem) => problem.code === 'download_failed' && problem.feed);
    expect(feeds).toContain('target');
    expect(feeds).toContain('base');
    expect(new Set(feeds).size).toBe(feeds.length);
  });

  it('names the package, or the repository of the request', () => {
    const [own] = problemsOf(
      { exitCode: 2, stderr: 'WARNING: updating and opening https://example.org/own/packages.adb: network error\n' },
      { repositories: { mine: 'https://example.org/own' } },
    );
    expect(own).toMatchObject({ code: 'download_failed', feed: 'mine' });
    const packages = problemsOf(recordedRun('apk', 'packages cannot be fetched'));
    expect(packages[0]).toMatchObject({
      code: 'download_failed',
      package: 'curl',
      suggestion: expect.stringMatching(/^Ask again .* the package curl\.$/),
    });
  });

  it('is not blamed for what else went wrong on the machine', () => {
    expect(problemsOf({ exitCode: 2, stderr: 'write: No space left on device\n' })).toEqual([]);
  });
});

it('leaves other errors alone', () => {
  const error = new TypeError('a bug');
  expect(explainFailure(error, { ...FACTS, lines: [] })).toBe(error);
});

it('answers at once for texts that are meant to keep the process busy', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `package-with-a-name-${index}`);
  const lines = Array.from({ length: 20_000 }, (_, index) =>
    index % 2 === 0
      ? ` * pkg_hash_check_unresolved: cannot find dependency package-${index % 100} for package-${index % 300}`
      : ` * opkg_install_cmd: Cannot install package packag-with-a-name-${index}.`,
  );
  const problems = problemsOf(opkg(...lines), { packages: names, fetched: listed(...names) });
  expect(problems.length).toBeGreaterThan(0);
  expect(JSON.stringify(problems).length).toBeLessThan(80_000);
});
