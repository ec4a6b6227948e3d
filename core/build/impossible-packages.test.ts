import { describe, expect, it } from 'vitest';
import type { PackageProblem } from '#core/request/forecast/forecast.ts';
import { impossiblePackages } from './impossible-packages.ts';

const problem = (more: Partial<PackageProblem>): PackageProblem => ({
  code: 'missing',
  package: 'libbar',
  chain: ['luci-app-x', 'libfoo'],
  detail: 'libfoo needs libbar, which is in no package index of the target (luci-app-x → libfoo)',
  ...more,
});

describe('a request that is refused because of its packages', () => {
  it('has the words, the codes and the reasons of a failed build', () => {
    const error = impossiblePackages({ problems: [problem({ suggestion: 'Leave out luci-app-x.' })] });
    expect(error).toMatchObject({
      status: 422,
      message: expect.stringMatching(/^Error: Impossible package selection: missing \(libbar\); /),
    });
    expect(error.errors).toEqual([
      expect.objectContaining({
        ...{ code: 'dependency_missing', packages: ['luci-app-x'], dependency: 'libbar', needed_by: 'libfoo' },
        ...{ package: 'libbar', chain: ['luci-app-x', 'libfoo'], suggestion: 'Leave out luci-app-x.' },
      }),
    ]);
  });

  it('names the reason in a header, which takes printable ASCII only', () => {
    const { headers } = impossiblePackages({ problems: [problem({}), problem({ detail: 'ünïcode\n' })] });
    expect(new Headers(headers).get('X-Unknown-Package')).toMatch(/^missing \(libbar\); .*luci-app-x -> libfoo\)/);
    expect(headers['X-Unknown-Package']).toMatch(/^[\x20-\x7e]*$/);
  });

  it('has a header that proxies take, however many problems there are', () => {
    const problems = Array.from({ length: 500 }, (_, at) => problem({ package: `lib${at}`, detail: `lib${at} is missing` }));
    expect(impossiblePackages({ problems }).headers['X-Unknown-Package']?.length).toBeLessThanOrEqual(1024);
  });
});
