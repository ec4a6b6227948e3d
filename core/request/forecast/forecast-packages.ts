import { DEFAULT_DISTRO } from '#core/catalogue/distro.ts';
import { canonicalPackages } from '#core/package-changes/canonical-packages.ts';
import { imagebuilderPackages } from '#core/package-solver/imagebuilder-packages.ts';
import { solverGraph, TooMuchWorkError } from '#core/package-solver/index/solver-graph.ts';
import type { TargetTables } from '#core/package-solver/package-tables.ts';
import { type PackageAnswer, type PackageQuestion, solvePackages } from '#core/package-solver/solve-packages.ts';
import type { Warning } from '#core/warning.ts';
import { offerOf } from '../distro-offer.ts';
import { ownPackages } from '../image-packages.ts';
import type { PreparationMemory } from '../preparation-memory.ts';
import type { PreparedBuild } from '../prepared-build.ts';
import type { ValidateRequestDeps, ValidRequest } from '../validate-request.ts';
import { changedDefaults } from './changed-defaults.ts';
import { type Forecast, unsure } from './forecast.ts';
import { outdatedProblem, unknownProblem } from './other-problems.ts';
import { packageProblem } from './package-problem.ts';

/** Whom the forecast asks for the package indexes. */
export type ForecastDeps = Pick<ValidateRequestDeps, 'catalogue' | 'policy' | 'others'> & {
  readonly memory?: Pick<PreparationMemory, 'graph' | 'answer'>;
};

/**
 * The branches whose package managers the solver was compared with: the opkg and the apk that they have gave the
 * recorded answers of `truth.test.ts`. For another branch the server refuses nothing.
 */
const COMPARED: Readonly<Record<TargetTables['manager'], RegExp>> = {
  opkg: /^(?:23\.05|24\.10)$/,
  apk: /^(?:25\.12|SNAPSHOT)$/,
};

/** A copy that was asked for again is at most half a minute old, if upstream answers. */
const MAX_AGE_MS = 90_000;

/**
 * Returns what the server knows of the image of a prepared request before it is built: whether its packages can be
 * installed, exactly which packages result and why, and what of the device's defaults is lost. It says `no` only where
 * the indexes are whole and those that the request was prepared with, and with `fresh` only where upstream still has
 * them: then the caller has asked it, and an old copy means that it did not answer. It never rejects.
 */
export async function forecastPackages(
  { memory, ...deps }: ForecastDeps,
  prepared: PreparedBuild,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<Forecast> {
  const { valid, resolved } = prepared;
  const known = knownProblems(prepared);
  if (Object.keys(resolved.repositories).length > 0)
    return unsure('The request has repositories of its own, whose packages the server does not know.');
  const tables = await tablesOf(deps, prepared);
  if (tables === undefined || valid.index?.complete !== true) {
    return withKnown(unsure('The server does not have all package indexes of the target as upstream has them now.'), known);
  }
  const question = questionOf(prepared, tables, memory);
  if (question === undefined) return withKnown(unsure('Upstream does not say which kernel the target has.'), known);
  const forecast = forecastWithin(prepared, tables, question, memory);
  if (fresh && forecast.verdict === 'no' && known.length === 0 && tables.ageMs > MAX_AGE_MS)
    return { ...forecast, verdict: 'unsure', reason: 'Upstream does not answer, and the packages may be others there by now.' };
  return withKnown(forecast, known);
}

/** Returns the forecast with the problems that are known without the solver, for which submit refuses the request. */
function withKnown(forecast: Forecast, known: Forecast['problems']): Forecast {
  if (known.length === 0) return forecast;
  const { reason: _, ...facts } = forecast;
  return { ...facts, verdict: 'no', installed: [], isExact: false, problems: withoutRepetition([...known, ...forecast.problems]) };
}

/** Returns the forecast, or that the server is unsure if the indexes are made such that explaining them takes too long. */
function forecastWithin(
  prepared: PreparedBuild,
  { manager, addsAbi }: TargetTables,
  question: PackageQuestion,
  memory: ForecastDeps['memory'],
): Forecast {
  try {
    return forecastOf(prepared, manager, question, ask(question, addsAbi !== undefined, memory));
  } catch (error) {
    if (error instanceof TooMuchWorkError) return unsure('The package indexes take too long to look through.');
    throw error;
  }
}

function tablesOf({ catalogue, policy, others }: ForecastDeps, { resolved, valid }: PreparedBuild): Promise<TargetTables | undefined> {
  const offer = offerOf(resolved.distro, { catalogue, branches: policy.branches }, others);
  return offer.catalogue.tables?.(valid.record) ?? Promise.resolve(undefined);
}

/** Returns the problems that are known without the solver. */
const knownProblems = ({ missing, suggestions, outdated }: PreparedBuild) => [
  ...missing.map((name) => unknownProblem(name, suggestions[name] ?? [])),
  ...outdated.map(outdatedProblem),
];

function withoutRepetition(problems: Forecast['problems']): Forecast['problems'] {
  const seen = new Set<string>();
  return problems.filter(({ code, package: name, other = '' }) => {
    const key = `${code} ${name} ${other}`;
    return !seen.has(key) && seen.add(key);
  });
}

function questionOf(
  { resolved, valid }: PreparedBuild,
  { manager, tables, addsAbi = manager === 'apk' }: TargetTables,
  memory: ForecastDeps['memory'],
): PackageQuestion | undefined {
  const { arch, kernel, versionPath, defaultPackages } = valid.record;
  const own = imagebuilderPackages({ tables, arch, kernel, versionPath });
  if (own === undefined) return undefined;
  const makeGraph = () => solverGraph([...tables, own]);
  const devicePackages = ownPackages(valid.record, resolved.profile);
  const { packages, diff_packages: diffPackages } = resolved;
  return {
    manager,
    graph: memory?.graph(tables, packages.length, makeGraph) ?? makeGraph(),
    arch,
    ...(kernel !== undefined && { kernel }),
    addsAbi,
    packages: canonicalPackages({ packages, diffPackages, defaultPackages, profilePackages: devicePackages }),
    defaultPackages,
    devicePackages,
  };
}

interface Answer extends PackageAnswer {
  /** Whether the verdict depends on what is not known of the ImageBuilder. */
  readonly isVerdictOpen: boolean;
  /** Whether the packages do not. */
  readonly isExact: boolean;
}

/** Asks the solver, both ways as long as it is not known whether the ImageBuilder writes ABI suffixes behind the words. */
function ask(question: PackageQuestion, isAbiKnown: boolean, memory: ForecastDeps['memory']): Answer {
  const solve = (asked: PackageQuestion): PackageAnswer => {
    if (memory === undefined) return solvePackages(asked);
    const { addsAbi, packages, defaultPackages, devicePackages } = asked;
    return memory.answer(asked.graph, JSON.stringify([addsAbi, packages, defaultPackages, devicePackages]), () => solvePackages(asked));
  };
  const answer = solve(question);
  if (isAbiKnown || Object.keys(answer.rewritten).length === 0) return { ...answer, isVerdictOpen: false, isExact: true };
  const other = solve({ ...question, addsAbi: false });
  return { ...answer, isVerdictOpen: other.verdict !== answer.verdict, isExact: namesOf(other) === namesOf(answer) };
}

const namesOf = ({ installed }: PackageAnswer): string => installed.map(({ name, version }) => `${name} ${version}`).join(' ');

function forecastOf(
  { resolved, valid, suggestions }: PreparedBuild,
  manager: TargetTables['manager'],
  question: PackageQuestion,
  answer: Answer,
): Forecast {
  const { installed, rewritten, declaredConflicts } = answer;
  const explain = packageProblem({ request: resolved, valid, graph: question.graph, suggestions });
  const isCompared = resolved.distro === DEFAULT_DISTRO && COMPARED[manager].test(valid.branch.name);
  const verdict = verdictOf(valid, isCompared, answer);
  const isInstalled = installed.length > 0;
  return {
    ...verdict,
    installed,
    isExact: answer.isExact && verdict.verdict === 'yes',
    problems: answer.problems.map(explain),
    rewritten,
    ...(isInstalled
      ? changedDefaults(question, resolved.packages, installed)
      : { lostDefaults: [], replacedDefaults: [], ineffectiveRemovals: [] }),
    warnings: declaredConflicts.map(conflictWarning),
  };
}

function verdictOf(
  { branch }: ValidRequest,
  isCompared: boolean,
  { verdict, declaredConflicts, isVerdictOpen }: Answer,
): Pick<Forecast, 'verdict' | 'reason'> {
  const because = (reason: string) => ({ verdict: 'unsure', reason }) as const;
  if (declaredConflicts.length > 0)
    return because('Packages declare a conflict with each other, which opkg does not notice in the order in which the server names them.');
  if (verdict === 'unsure') return because('The packages use what only the package manager itself can follow.');
  if (isVerdictOpen) return because('The answer depends on whether the ImageBuilder writes ABI versions behind the names of packages.');
  if (verdict === 'no' && !isCompared)
    return because(`The server has not compared its answers with the package manager of ${branch.name}.`);
  return { verdict };
}

const conflictWarning = ([name, other]: readonly [name: string, other: string]): Warning => ({
  code: 'declared_conflict',
  severity: 'strong',
  detail: `${name} declares a conflict with ${other}. opkg installs both in the order in which the server names them; the image may not work as expected.`,
  packages: [name, other],
});
