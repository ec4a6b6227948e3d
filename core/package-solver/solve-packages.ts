import type { LinuxKernel } from '#core/catalogue/catalogue.ts';
import { apkWorld, type Pin, withAbi } from './apk/apk-world.ts';
import { explainApk } from './apk/explain-apk.ts';
import { runApk } from './apk/run-apk.ts';
import { commandWords, type ImageSelection } from './command-words.ts';
import type { Relation } from './index/index-package.ts';
import { type SolverGraph, TooMuchWorkError } from './index/solver-graph.ts';
import { type InstalledReason, reasonsOf } from './installed-reasons.ts';
import { kernelVersion } from './kernel-version.ts';
import { declaredConflicts } from './opkg/declared-conflicts.ts';
import { explainOpkg } from './opkg/explain-opkg.ts';
import { type OpkgState, runOpkg } from './opkg/run-opkg.ts';
import type { SolverProblem } from './solver-problem.ts';

/** What an image is to be made of, for the package manager of its version. */
export interface PackageQuestion extends ImageSelection {
  readonly manager: 'opkg' | 'apk';
  /** The packages of all indexes that ImageBuilder reads, in the order of its configuration. */
  readonly graph: SolverGraph;
  /** The package architecture of the target: `mips_24kc`. */
  readonly arch: string;
  /** Absent where upstream does not say which kernel the target has. Then the newest one that is listed counts. */
  readonly kernel?: LinuxKernel;
  /**
   * Whether the ImageBuilder writes ABI suffixes behind the words (FormatPackages in its Makefile, since January 2026).
   * Only apk's ImageBuilders do.
   */
  readonly addsAbi: boolean;
}

/** A package of the image. */
export interface InstalledPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  /** Bytes of the package file and of the installed files; 0 where the index does not say it. */
  readonly downloadSize: number;
  readonly installedSize: number;
  readonly reason: InstalledReason;
}

/** What the package manager would do. */
export interface PackageAnswer {
  /**
   * `yes`: it installs exactly `installed`. `no`: it fails because of `problems`. `unsure`: only a build can tell,
   * because the indexes use what the solver does not follow, or are too much work.
   */
  readonly verdict: 'yes' | 'no' | 'unsure';
  /** Sorted by name. What the solver found, if it is unsure; empty if it stopped. */
  readonly installed: readonly InstalledPackage[];
  readonly problems: readonly SolverProblem[];
  /** Words of the command that the ImageBuilder exchanges, with what it puts in their place. */
  readonly rewritten: Readonly<Record<string, readonly string[]>>;
  /** Pairs of installed packages of which the first declares a conflict with the second, which opkg lets through. */
  readonly declaredConflicts: readonly (readonly [name: string, other: string])[];
}

/** The work that a question may take. Real ones take at most a fifth of it. */
const MAX_WORK = 800_000;

const UNSURE: PackageAnswer = { verdict: 'unsure', installed: [], problems: [], rewritten: {}, declaredConflicts: [] };

/**
 * Returns what the package manager would install for an image, or why it would fail. The answer depends on the question
 * alone. The work is bounded, whatever the indexes are.
 */
export function solvePackages(question: PackageQuestion): PackageAnswer {
  question.graph.limitWork(MAX_WORK);
  try {
    return question.manager === 'opkg' ? askOpkg(question) : askApk(question);
  } catch (error) {
    if (error instanceof TooMuchWorkError) return UNSURE;
    throw error;
  }
}

/** Packages that ImageBuilder installs from its own directory before it installs the words. */
const FIRST = ['libc', 'kernel'];
const ALL_PRIORITY = 100;
const OWN_PRIORITY = 200;

function askOpkg(question: PackageQuestion): PackageAnswer {
  const { graph, arch } = question;
  const priorityOf = (other: string): number => (other === 'all' ? ALL_PRIORITY : other === arch ? OWN_PRIORITY : 0);
  const state: OpkgState = { installed: new Map() };
  for (const word of FIRST) runOpkg(graph, [word], state, priorityOf);
  const { problems, wanted } = runOpkg(graph, commandWords(question), state, priorityOf);
  const installed = [...state.installed.values()];
  const conflicts = problems.length > 0 ? [] : declaredConflicts(graph, installed);
  const isBeyond = [...wanted, ...installed].some((one) => graph.package(one).isBeyond);
  const verdict = isBeyond || conflicts.length > 0 ? 'unsure' : problems.length > 0 ? 'no' : 'yes';
  return {
    verdict,
    installed: problems.length > 0 ? [] : installedOf(question, installed, (word) => [word]),
    problems: explainOpkg(graph, { problems }),
    rewritten: {},
    declaredConflicts: conflicts,
  };
}

function askApk(question: PackageQuestion): PackageAnswer {
  const { graph, arch } = question;
  const { world, written } = apkCommand(question);
  const outcome = runApk(graph, world, (other) => other === arch || other === 'noarch');
  return {
    verdict: outcome.hasFailed ? 'no' : 'yes',
    installed: outcome.hasFailed ? [] : installedOf(question, outcome.installed, (word) => written.get(word) ?? [word]),
    problems: outcome.hasFailed ? explainApk(graph, world, outcome) : [],
    rewritten: Object.fromEntries([...written].filter(([word, names]) => names.length !== 1 || names[0] !== word)),
    declaredConflicts: [],
  };
}

/** Returns what ImageBuilder asks apk for, and the words that it makes of each word of a request. */
export function apkCommand(question: PackageQuestion): { world: readonly Relation[]; written: ReadonlyMap<string, readonly string[]> } {
  const { graph, addsAbi } = question;
  const written = new Map(commandWords(question).map((word) => [word, addsAbi ? withAbi(graph, word) : [word]]));
  return { world: apkWorld([...written.values()].flat(), pinsOf(question)), written };
}

/** Every release with apk names the kernel's version as snapshots do. */
const SNAPSHOTS = 'snapshots';

/** Returns the packages that ImageBuilder asks apk for in the very version that it has itself. */
function pinsOf({ graph, kernel }: PackageQuestion): Pin[] {
  const newest = (name: string): Pin[] => {
    const last = graph.providersOf(graph.numberOf(name)).at(-1);
    return last === undefined ? [] : [{ name, version: last.version }];
  };
  const pinned = kernel === undefined ? newest('kernel') : [{ name: 'kernel', version: kernelVersion(kernel, SNAPSHOTS) }];
  return [...newest('base-files'), ...newest('libc'), ...pinned];
}

function installedOf(
  question: PackageQuestion,
  numbers: readonly number[],
  writtenAs: (word: string) => readonly string[],
): InstalledPackage[] {
  const { graph } = question;
  const reasons = reasonsOf(graph, numbers, question, writtenAs);
  return numbers
    .map((one) => {
      const { name, version, downloadSize, installedSize } = graph.package(one);
      return { name, version, downloadSize, installedSize, reason: reasons(one) };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
