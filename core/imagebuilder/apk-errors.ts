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
  if (ambiguous !== undefined) return [chooseOne(ambiguous, words.get('provided by') ?? [])];

  const name = withoutVersion(label);
  const broken = (words.get('depends') ?? []).map((dependency) => missingDependency(name, name, dependency));
  const rivals = [...(words.get('conflicts') ?? []), ...(words.get('breaks') ?? [])].map(parseReason);
  return [
    ...broken,
    ...rivals.map(({ by, dependency }) => (by === 'world' ? unfitVersion(name, dependency) : conflictOf([name, withoutVersion(by)]))),
  ];
}

/** `foe-a-1.0-r1[!foe-b]`: the package that gives the reason, and the reason. `world` stands for the request. */
function parseReason(word: string): { by: string; dependency: string } {
  const [, by = word, dependency = ''] = /^([^[]+)\[(.*)\]$/.exec(word) ?? [];
  return { by, dependency };
}

function missing(name: string, requiredBy: readonly string[]): BuildProblem[] {
  const reasons = requiredBy.map(parseReason);
  const dependants = reasons.filter(({ by }) => by !== 'world').map(({ by }) => withoutVersion(by));
  const isAsked = dependants.length < reasons.length || reasons.length === 0;
  return [...(isAsked ? [missingPackage(name)] : []), ...dependants.map((dependant) => missingDependency(dependant, dependant, name))];
}

const chooseOne = (name: string, providers: readonly string[]): BuildProblem => ({
  code: 'package_missing',
  packages: [name],
  providers,
  message: `${name} is no package: choose one of ${providers.join(', ')}`,
});

const unfitVersion = (name: string, dependency: string): BuildProblem => ({
  code: 'package_conflict',
  packages: [name],
  message: `${name} is only to be had in a version other than the one needed (${dependency})`,
});

const distinct = (problems: readonly BuildProblem[]): BuildProblem[] => [
  ...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values(),
];
