import { ImpossiblePackagesError } from '#core/errors.ts';
import type { ExplainedProblem } from '#core/imagebuilder/explain-problems.ts';
import { documentedProblems } from '#core/imagebuilder/failure-analysis.ts';
import { describePackageProblems } from '#core/imagebuilder/package-errors.ts';
import type { Forecast, PackageProblem } from '#core/request/forecast/forecast.ts';

/**
 * Returns the error for a request whose packages cannot be installed, in the words and with the codes that the failure
 * of its build would have, and with what can be done about it.
 */
export function impossiblePackages({ problems }: Pick<Forecast, 'problems'>): ImpossiblePackagesError {
  const documented = documentedProblems(problems.map(problemOf));
  return new ImpossiblePackagesError(`Error: ${describePackageProblems(documented)}`, documented);
}

function problemOf(problem: PackageProblem): ExplainedProblem {
  const { detail, chain, suggestion, choices } = problem;
  return {
    ...withCode(problem),
    package: problem.package,
    chain,
    detail,
    message: detail,
    ...(suggestion !== undefined && { suggestion }),
    ...(choices !== undefined && { choices }),
  } as ExplainedProblem;
}

function withCode({ code, package: name, chain, choices = [], other }: PackageProblem) {
  const [asked = name] = chain;
  switch (code) {
    case 'conflict':
      return { code: 'package_conflict', packages: [name, other ?? name].sort() };
    case 'outdated':
      return { code: 'version_mismatch', packages: [name] };
    case 'virtual':
      return { code: 'package_missing', packages: [name], providers: choices, ...neededBy(name, chain.at(-1)) };
    case 'missing':
    case 'version':
      if (chain.length === 0) return { code: 'package_missing', packages: [name] };
      return { code: 'dependency_missing', packages: [asked], dependency: name, ...neededBy(asked, chain.at(-1)) };
  }
}

const neededBy = (name: string, by: string | undefined) => (by === undefined || by === name ? {} : { needed_by: by });
