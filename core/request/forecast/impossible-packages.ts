import { ImpossiblePackagesError } from '#core/errors.ts';
import type { Forecast, PackageProblem } from './forecast.ts';

/** A request that names a thousand unknown packages needs no thousand sentences. */
const MAX_PROBLEMS = 20;

/** Returns the error for a request whose packages cannot be installed, in the words that clients know from builds. */
export const impossiblePackages = ({ problems }: Forecast): ImpossiblePackagesError =>
  new ImpossiblePackagesError(problems.slice(0, MAX_PROBLEMS).map(entryOf));

/** Returns the problem as an entry of `errors`, with the code that the failure of a build would have. */
function entryOf({ code, package: name, chain, detail, suggestion, choices, other }: PackageProblem) {
  return {
    code: codeOf(code, chain),
    packages: other === undefined ? [chain[0] ?? name] : [name, other].sort(),
    ...(other === undefined && chain.length > 0 && { dependency: name, chain }),
    ...(code === 'virtual' && { providers: choices ?? [] }),
    message: detail,
    ...(suggestion !== undefined && { suggestion }),
    ...(choices !== undefined && { choices }),
  };
}

function codeOf(code: PackageProblem['code'], chain: readonly string[]): string {
  switch (code) {
    case 'conflict':
      return 'package_conflict';
    case 'outdated':
      return 'version_mismatch';
    case 'missing':
    case 'virtual':
    case 'version':
      return chain.length === 0 ? 'package_missing' : 'dependency_missing';
  }
}
