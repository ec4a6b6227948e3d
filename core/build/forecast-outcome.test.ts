import { describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { installedDigest } from '#core/request/forecast/installed-digest.ts';
import type { BuildOrder, OrderForecast } from './build-order.ts';
import { outcomeOfFailure, outcomeOfImage } from './forecast-outcome.ts';

const order = (forecast?: OrderForecast) => ({ ...(forecast && { forecast }) }) as BuildOrder;
const packages = [
  { name: 'busybox', version: '1.36.1-r2' },
  { name: 'libubox20240329', version: '2024.03.29-r1' },
];
const yes: OrderForecast = { verdict: 'yes', installed: installedDigest(packages) };
const output = (installed: BuildOutput['installed'], more: Partial<BuildOutput> = {}) =>
  ({ ...(installed && { installed }), ...more }) as BuildOutput;

describe('an image', () => {
  it.each([
    ['with the very packages, in any order', yes, output(packages.toReversed()), 'matched'],
    ['besides the packages that the ImageBuilder brings', yes, output([...packages, { name: 'libc', version: '1' }]), 'matched'],
    ['with another package', yes, output([...packages, { name: 'vim', version: '9' }]), 'differed'],
    ['with another version', yes, output([{ name: 'busybox', version: '1.37' }, ...packages.slice(1)]), 'differed'],
    ['that could not be built as far as the server knew', { verdict: 'no' } as const, output(packages), 'differed'],
    ['of which the server was unsure', { verdict: 'unsure' } as const, output(packages), 'none'],
    ['of an order of an earlier version', undefined, output(packages), 'none'],
    ['whose packages are not known', yes, output(undefined), 'none'],
    ['of feeds that have changed since', yes, output([], { warnings: [{ code: 'feeds_changed', severity: 'note', detail: 'x' }] }), 'none'],
  ])('%s: %j', (_, forecast, made, outcome) => {
    expect(outcomeOfImage(order(forecast), made)).toBe(outcome);
  });
});

describe('a failure', () => {
  const ofPackages = new BuildFailure('x', { errors: [{ code: 'package_conflict' }] });
  it.each([
    ['of packages, where they could be installed', yes, ofPackages, 'differed'],
    ['of packages, as forecast', { verdict: 'no' } as const, ofPackages, 'matched'],
    ['of packages, where the server was unsure', { verdict: 'unsure' } as const, ofPackages, 'none'],
    ['of files that two packages have', yes, new BuildFailure('x', { errors: [{ code: 'file_clash' }] }), 'none'],
    ['of the machine', yes, new InfrastructureFailure('x'), 'none'],
  ])('%s', (_, forecast, cause, outcome) => {
    expect(outcomeOfFailure(order(forecast), cause)).toBe(outcome);
  });
});
