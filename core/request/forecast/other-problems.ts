import type { OutdatedVersion } from '#core/catalogue/outdated-versions.ts';
import type { PackageProblem } from './forecast.ts';

/** Returns the problem of a package that the request names and that exists nowhere. */
export function unknownProblem(name: string, similar: readonly string[]): PackageProblem {
  const suggestion = similar.length === 0 ? undefined : `Did you mean ${similar.join(' or ')}?`;
  return {
    code: 'missing',
    package: name,
    chain: [],
    detail: `${name} is in no package index of the target`,
    ...(suggestion !== undefined && { suggestion, choices: similar }),
  };
}

/** Returns the problem of a package that the request requires in a version that upstream does not have. */
export const outdatedProblem = ({ name, required, found }: OutdatedVersion): PackageProblem => ({
  code: 'outdated',
  package: name,
  chain: [],
  detail: `The request requires ${name} ${required}, and upstream has ${found}`,
  suggestion: `Ask for ${found}, or leave the version out.`,
});
