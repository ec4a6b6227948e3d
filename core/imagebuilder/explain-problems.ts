import { withoutRemoved } from '#core/request/image-packages.ts';
import { type BuildProblem, documentedProblems } from './failure-analysis.ts';
import { nameOf, opkgDependants } from './opkg-errors.ts';
import { mostLacking } from './sufficient-size.ts';
import { suggestionFor } from './suggest-remedy.ts';

/** What is known of a build that failed, besides its problems. */
export interface FailedBuildFacts {
  /** The packages of the request; `-name` is a removal. */
  readonly packages: readonly string[];
  /** The packages of the target and of the device, with `-name` entries. Empty if the request replaces them. */
  readonly defaultPackages: readonly string[];
  /** The names in OpenWrt's own indexes, as far as the build was given them. */
  readonly listed: ReadonlySet<string>;
  /** The lines that the build printed. */
  readonly lines: readonly string[];
  /** The only root file system that the request wants; `null`: all of the target. */
  readonly filesystem: string | null;
  /** The root file systems of which the target has images. */
  readonly filesystems: readonly string[];
  /** A `rootfs_size_mb` that is enough, where one is known. */
  readonly sufficientSizeMb?: number | undefined;
}

/** The explanation that a problem of any code can have. */
export type Explanation = {
  /** The package that the problem is about. */
  readonly package?: string;
  /** The names that lead to it, from the one that was asked for to the one that needs it. Empty: it was asked for itself. */
  readonly chain?: readonly string[];
  /** The problem in words for people; the same as `message`. */
  readonly detail: string;
  /** What the client can do, in words for people. */
  readonly suggestion?: string;
  /** The bytes that the image needs at least, and those that there are. */
  readonly needed_bytes?: number;
  readonly available_bytes?: number;
};

export type ExplainedProblem = BuildProblem & Explanation;

/** Similar names are looked for that often: more unknown names are no typing mistakes. */
const MAX_SIMILAR = 20;

/** Returns the problems with the package that each is about, what leads to it, and what the client can do. */
export function explainProblems(problems: readonly BuildProblem[], facts: FailedBuildFacts): readonly ExplainedProblem[] {
  const dependants = opkgDependants(facts.lines);
  const isDefault = new Set(withoutRemoved([...facts.defaultPackages, ...facts.packages.filter((name) => name.startsWith('-'))]));
  const asked = new Set(facts.packages);
  const names = [...facts.listed];
  const explained = problems.map((problem, index) => {
    const suggestion = suggestionFor(problem, { ...facts, asked, isDefault, names: index < MAX_SIMILAR ? names : [] });
    return {
      ...problem,
      ...packagePart(problem, dependants),
      ...sizePart(problem, facts.lines),
      detail: problem.message,
      ...(suggestion !== undefined && { suggestion }),
    };
  });
  return documentedProblems(explained) as readonly ExplainedProblem[];
}

function packagePart(problem: BuildProblem, dependants: ReadonlyMap<string, ReadonlySet<string>>): Pick<Explanation, 'package' | 'chain'> {
  if (problem.code === 'dependency_missing') {
    const [asked = ''] = problem.packages;
    return { package: nameOf(problem.dependency), chain: chainTo(asked, problem.needed_by ?? asked, dependants) };
  }
  const [first] = 'packages' in problem ? (problem.packages ?? []) : [];
  if (first === undefined) return {};
  return problem.code === 'package_missing'
    ? { package: first, chain: problem.needed_by === undefined ? [] : [problem.needed_by] }
    : { package: first };
}

/** Returns the shortest way from the package that was asked for to the one that needs what is missing. */
function chainTo(asked: string, neededBy: string, dependants: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const cameFrom = new Map<string, string | undefined>([[neededBy, undefined]]);
  for (const name of cameFrom.keys()) {
    if (name === asked) break;
    for (const dependant of dependants.get(name) ?? []) if (!cameFrom.has(dependant)) cameFrom.set(dependant, name);
  }
  if (!cameFrom.has(asked)) return asked === neededBy ? [asked] : [asked, neededBy];
  const chain: string[] = [];
  for (let name: string | undefined = asked; name !== undefined; name = cameFrom.get(name)) chain.push(name);
  return chain;
}

const BLOCK = 4096;

/** make_ext4fs says how many blocks it lacked for the file at which it stopped; the image needs at least those. */
function sizePart(problem: BuildProblem, lines: readonly string[]): Pick<Explanation, 'needed_bytes' | 'available_bytes'> {
  if (problem.code !== 'image_too_big') return {};
  const { size, limit } = problem;
  const lacking = size === undefined && problem.setting !== undefined ? mostLacking(lines) : 0;
  const needed = size ?? (limit !== undefined && lacking > 0 ? limit + lacking * BLOCK : undefined);
  return { ...(needed !== undefined && { needed_bytes: needed }), ...(limit !== undefined && { available_bytes: limit }) };
}
