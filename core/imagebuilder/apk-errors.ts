import { type BuildProblem, MAX_PROBLEMS } from './failure-analysis.ts';
import { belowRoot, clashOf, conflictOf, missingDependency, missingPackage, withoutVersion } from './package-problems.ts';

/** The message of apk about one package or name that does not fit: `key: word word …`, as words by key. */
interface Entry {
  readonly label: string;
  readonly words: Map<string, string[]>;
}

const OVERWRITE = /^ERROR: (\S+): trying to overwrite (.+) owned by (\S+)\.$/;

/**
 * Returns why apk did not select the packages, one entry per cause, in its order. The texts are those of
 * analyze_package and analyze_missing_name in apk-tools' src/commit.c; `breaks:` is what declared conflicts look like,
 * `conflicts:` what two providers of one name do.
 */
export function apkProblems(lines: readonly string[]): BuildProblem[] {
  const overwrites: BuildProblem[] = [];
  for (const line of lines) {
    const [, name, file, owner] = OVERWRITE.exec(line) ?? [];
    if (name === undefined || file === undefined || owner === undefined) continue;
    overwrites.push(clashOf([withoutVersion(name), withoutVersion(owner)], [belowRoot(file)]));
    if (overwrites.length >= MAX_PROBLEMS) break;
  }
  return distinct([...entries(lines).flatMap(problemsOf), ...overwrites].slice(0, MAX_PROBLEMS));
}

/** The largest number of words of one key, and of entries: more than any selection of packages has. */
const MAX_WORDS = 1_000;

/**
 * The blocks below `ERROR: unable to select packages:`, two blanks deep; keys are four deep, further words deeper
 * still.
 */
function entries(lines: readonly string[]): Entry[] {
  const found: Entry[] = [];
  let isInside = false;
  let words: string[] = [];
  for (const line of lines) {
    if (line === 'ERROR: unable to select packages:') isInside = true;
    else if (!line.startsWith('  ')) isInside = false;
    if (!isInside) continue;
    const label = /^ {2}(\S.*):$/.exec(line)?.[1];
    const [, key, rest] = /^ {4}([a-z][a-z _]*): (.*)$/.exec(line) ?? [];
    if (found.length >= MAX_PROBLEMS && label !== undefined) break;
    if (label !== undefined) found.push({ label, words: new Map() });
    else if (key !== undefined && rest !== undefined) {
      words = rest.split(' ');
      found.at(-1)?.words.set(key, words);
    } else if (line.startsWith('     ') && words.length < MAX_WORDS) words.push(...line.trim().split(' '));
  }
  return found;
}

function problemsOf({ label, words }: Entry): BuildProblem[] {
  const unknown = /^(\S+) \(no such package\)$/.exec(label)?.[1];
  if (unknown !== undefined) return missing(unknown, words.get('required by') ?? []);
  const ambiguous = /^(\S+) \(virtual\)$/.exec(label)?.[1];
  if (ambiguous !== undefined) return chooseOne(ambiguous, words.get('provided by') ?? [], words.get('required by') ?? []);

  const name = withoutVersion(label);
  const broken = (words.get('depends') ?? []).map((dependency) => missingDependency(name, name, dependency));
  const rivals = (words.get('conflicts') ?? []).map(parseReason);
  const critics = (words.get('breaks') ?? []).map(parseReason);
  const found = [
    ...broken,
    ...rivals.map(({ by, dependency }) => (by === 'world' ? unfitVersion(name, dependency) : conflictOf([name, withoutVersion(by)]))),
    ...critics.map(({ by, dependency }) =>
      by === 'world' ? unfitVersion(name, dependency) : brokenBy(name, withoutVersion(by), dependency),
    ),
  ];
  const arch = words.get('arch')?.[0];
  return words.has('error') && (arch !== undefined || found.length === 0) ? [uninstallable(name, arch), ...found] : found;
}

/** `foe-a-1.0-r1[!foe-b]`: the package that gives the reason, and the reason. `world` stands for the request. */
function parseReason(word: string): { by: string; dependency: string } {
  const [, by = word, dependency = ''] = /^([^[]+)\[(.*)\]$/.exec(word) ?? [];
  return { by, dependency };
}

/** The packages among the reasons; `world`, which stands for the request, is left out. */
const dependantsOf = (reasons: readonly string[]): string[] =>
  reasons
    .map(parseReason)
    .filter(({ by }) => by !== 'world')
    .map(({ by }) => withoutVersion(by));

function missing(name: string, requiredBy: readonly string[]): BuildProblem[] {
  const dependants = dependantsOf(requiredBy);
  const isAsked = dependants.length < requiredBy.length || requiredBy.length === 0;
  return [...(isAsked ? [missingPackage(name)] : []), ...dependants.map((dependant) => missingDependency(dependant, dependant, name))];
}

/** A virtual name with several providers; `requiredBy` has the packages that need it, and `world` where the client asked for it. */
function chooseOne(name: string, providers: readonly string[], requiredBy: readonly string[]): BuildProblem[] {
  const choice = `choose one of ${providers.join(', ')}`;
  const dependants = dependantsOf(requiredBy);
  if (dependants.length === 0)
    return [{ code: 'package_missing', packages: [name], providers, message: `${name} is no package: ${choice}` }];
  return dependants.map((dependant) => ({
    code: 'package_missing',
    packages: [name],
    providers,
    needed_by: dependant,
    message: `${dependant} needs ${name}, which is no package: ${choice}`,
  }));
}

const uninstallable = (name: string, arch: string | undefined): BuildProblem => ({
  code: 'package_uninstallable',
  packages: [name],
  ...(arch !== undefined && { arch }),
  message:
    arch === undefined
      ? `${name} cannot be installed on the device; apk gives no reason`
      : `${name} is made for another architecture than the device has: ${arch}`,
});

/** `breaks: foe-a-1.0-r1[!foe-b]` declares a conflict; with a version (`[libc<1.2]`) the one needs the other in another version. */
const brokenBy = (name: string, by: string, dependency: string): BuildProblem => {
  const conflict = conflictOf([name, by]);
  return dependency === '' || dependency.startsWith('!') ? conflict : { ...conflict, needed: dependency, needed_by: by };
};

const unfitVersion = (name: string, dependency: string): BuildProblem => ({
  code: 'package_conflict',
  packages: [name],
  message: `${name} is only to be had in a version other than the one needed (${dependency})`,
});

const distinct = (problems: readonly BuildProblem[]): BuildProblem[] => [
  ...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values(),
];
