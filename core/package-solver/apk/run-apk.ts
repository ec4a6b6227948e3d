import { remembered } from '#lib/remembered.ts';
import { EQUAL, GREATER, type Relation } from '../index/index-package.ts';
import { type NumberedRelation, type Provider, type SolverGraph, TooMuchWorkError } from '../index/solver-graph.ts';
import { compareApkVersions } from './compare-apk-versions.ts';
import { fitsVersion } from './fits-version.ts';

/** What apk has decided. */
export interface ApkOutcome {
  readonly hasFailed: boolean;
  /** The numbers of the packages that are to be installed, innermost first, whether or not apk has failed. */
  readonly installed: readonly number[];
  /** The packages that were chosen although something excludes them, or something that they need cannot be had. */
  readonly unfit: readonly number[];
  /** The names that are needed, but for which apk has chosen nothing. */
  readonly unfilled: readonly string[];
  /** Returns what was chosen for a name. */
  chosen(name: string): Provider | undefined;
}

const NONE = -1;
const NO_NAMES: ReadonlySet<number> = new Set();
/** The longest chain of dependencies that is followed. Real ones are a tenth of it. */
const MAX_DEPTH = 1_000;
const NO_LIST = 0;
const SETTLED = 1;
const SELECTABLE = 2;
const OTHERS = 3;

/** The state of a name while apk decides. */
interface NameState {
  chosen: Provider | undefined;
  order: number;
  requirers: number;
  commonDepends: number;
  commonProvides: number;
  list: number;
  isSeen: boolean;
  isLocked: boolean;
  isDirty: boolean;
  hasNewDepends: boolean;
  hasNewConditions: boolean;
  isTriggered: boolean;
  isNeverTriggered: boolean;
  hasOptions: boolean;
  isSettled: boolean;
  hasVersionless: boolean;
  hasSelectable: boolean;
  isCondition: boolean;
  isDone: boolean;
}

interface PackageState {
  conflicts: number;
  isSeen: boolean;
  isSelectable: boolean;
  isMerged: boolean;
  isInLastMerge: boolean;
  isRecorded: boolean;
  isTriggered: boolean;
  isNotTriggered: boolean;
  hasError: boolean;
}

/**
 * Plays `apk add` with the world in an empty root. Apk never goes back: it narrows the providers of all names that are
 * required, then decides on one name, and so on. `canRun` says which architectures the device runs.
 */
export function runApk(graph: SolverGraph, world: readonly Relation[], canRun: (arch: string) => boolean): ApkOutcome {
  /** The packages that the world leads to. All are seen before apk decides anything. */
  const seenPackages: number[] = [];
  /** The names with packages among those that depend on a name. */
  const dependants = new Map<number, Set<number>>();
  const nameStates: (NameState | undefined)[] = [];
  const packageStates: (PackageState | undefined)[] = [];
  const unfitPackages: number[] = [];
  const unfilled: string[] = [];
  let errors = 0;
  let lastOrder = 0;
  const dirty: number[] = [];
  let dirtyFrom = 0;
  const settled: number[] = [];
  let settledFrom = 0;
  /** Ascending by order: the last one is the next. */
  const selectable: number[] = [];
  const others: number[] = [];

  const { providersOf } = graph;
  const stateOf = (name: number): NameState => (nameStates[name] ??= newName());
  const packageState = (one: number): PackageState => (packageStates[one] ??= newPackage());
  const dependsOf = (one: number): readonly NumberedRelation[] => graph.package(one).needs;
  const installIfOf = (one: number): readonly NumberedRelation[] => graph.package(one).installIf;
  const providesOf = (one: number) => graph.package(one).provides;
  const ownName = (one: number): number => graph.package(one).own;

  const sorted = world.map((one): NumberedRelation => ({ ...one, number: graph.numberOf(one.name) }));
  const isAsked = new Set(sorted.map(({ number }) => number));

  const isProvided = (by: number, dependency: Relation, provider: Provider | undefined): boolean => {
    if (provider === undefined) return dependency.isConflict;
    if (dependency.isConflict && provider.package === by) return true;
    return fitsVersion(dependency, provider.version);
  };

  const addDirty = (name: number): void => {
    const state = stateOf(name);
    if (state.isDirty || state.isLocked || (state.requirers === 0 && !state.hasNewConditions)) return;
    state.isDirty = true;
    dirty.push(name);
  };

  const isReady = ({ isSettled, requirers, hasSelectable, hasOptions }: NameState): boolean =>
    isSettled && requirers > 0 && hasSelectable && !hasOptions;

  const removeFrom = (list: number[], name: number): void => {
    const at = list.indexOf(name);
    if (at >= 0) list.splice(at, 1);
  };

  const leaveList = (name: number): void => {
    const state = stateOf(name);
    if (state.list === SELECTABLE) removeFrom(selectable, name);
    else if (state.list === OTHERS) removeFrom(others, name);
    state.list = NO_LIST;
  };

  const insert = (list: number[], name: number): void => {
    const { order } = stateOf(name);
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stateOf(list[middle] ?? NONE).order < order) low = middle + 1;
      else high = middle;
    }
    list.splice(low, 0, name);
  };

  /** Puts a name where it waits to be decided on. */
  const addUndecided = (name: number, isAgain: boolean): void => {
    const state = stateOf(name);
    if (state.isLocked) return;
    if (state.list !== NO_LIST) {
      if (state.list === SETTLED) return;
      if (!isReady(state) && !isAgain) return;
      leaveList(name);
    } else if (state.requirers === 0 && !state.isTriggered && !state.isCondition) return;
    if (isReady(state)) {
      state.list = SETTLED;
      settled.push(name);
    } else {
      state.list = state.hasSelectable ? SELECTABLE : OTHERS;
      insert(state.hasSelectable ? selectable : others, name);
    }
  };

  const renewDependants = (name: number): void => {
    for (const other of dependantsOf(name)) {
      stateOf(other).hasNewDepends = true;
      addDirty(other);
    }
  };

  const renewConditioned = (name: number): void => {
    for (const other of graph.conditionedOf(name)) {
      const state = nameStates[other];
      if (state === undefined || !state.isSeen || state.isNeverTriggered) continue;
      state.hasNewConditions = true;
      addDirty(other);
    }
  };

  const renewConditionedBy = (one: number): void => {
    renewConditioned(ownName(one));
    for (const { number } of providesOf(one)) renewConditioned(number);
  };

  const disqualify = (one: number): void => {
    packageState(one).isSelectable = false;
    renewDependants(ownName(one));
    for (const { number } of providesOf(one)) renewDependants(number);
    renewConditionedBy(one);
  };

  const canSatisfy = (by: number, dependency: NumberedRelation): boolean => {
    const state = stateOf(dependency.number);
    if (state.isLocked) return isProvided(by, dependency, state.chosen);
    if (state.requirers === 0 && isProvided(by, dependency, undefined)) return true;
    return providersOf(dependency.number).some(
      (provider) => packageState(provider.package).isSelectable && isProvided(by, dependency, provider),
    );
  };

  /** Looks at a name, and at all that it leads to, for the first time. It yields the names to look at first. */
  function* discover(name: number): Generator<number, void, void> {
    const state = stateOf(name);
    if (state.isSeen) return;
    state.isSeen = true;
    state.isNeverTriggered = true;
    let hasReal = false;
    for (const { package: one } of providersOf(name)) {
      const about = packageState(one);
      if (!about.isSeen) {
        about.isSeen = true;
        seenPackages.push(one);
        about.isSelectable = canRun(graph.package(one).arch);
        about.isNotTriggered = installIfOf(one).length === 0;
        for (const { number } of dependsOf(one)) yield number;
      }
      state.isNeverTriggered &&= about.isNotTriggered;
      hasReal ||= ownName(one) === name;
    }
    yield* graph.conditionedOf(name);
    for (const { package: one } of providersOf(name)) {
      yield* graph.conditionedOf(ownName(one));
      for (const { number } of providesOf(one)) yield number;
    }
    state.order = (isAsked.has(name) ? ASKED : 0) + (hasReal ? REAL : 0) + ++lastOrder;
    for (const { package: one } of providersOf(name)) for (const { number } of installIfOf(one)) yield number;
  }

  const discoverAll = (name: number): void => {
    const waiting = [discover(name)];
    for (let current = waiting.at(-1); current !== undefined; current = waiting.at(-1)) {
      const step = current.next();
      if (step.done === true) waiting.pop();
      else if (!stateOf(step.value).isSeen) waiting.push(discover(step.value));
    }
  };

  /** Finds the names that depend on each other, in the order of their packages in the indexes. */
  const findDependants = (): void => {
    for (const one of seenPackages.sort((first, second) => first - second)) {
      const answers = [ownName(one), ...providesOf(one).map(({ number }) => number)].filter((answer) => stateOf(answer).isSeen);
      for (const { number } of dependsOf(one)) {
        const found = remembered(dependants, number, () => new Set<number>());
        for (const answer of answers) found.add(answer);
      }
    }
  };

  const dependantsOf = (name: number): ReadonlySet<number> => {
    const found = dependants.get(name) ?? NO_NAMES;
    graph.spend(1 + found.size);
    return found;
  };

  const require = (by: number, dependency: NumberedRelation): void => {
    const state = stateOf(dependency.number);
    if (!dependency.isConflict && ++state.requirers === 1) requirersChanged(dependency.number);
    for (const provider of providersOf(dependency.number)) {
      const about = packageState(provider.package);
      if (!isProvided(by, dependency, provider)) about.conflicts++;
      if (about.isSelectable && about.conflicts > 0) disqualify(provider.package);
    }
  };

  const requirersChanged = (name: number): void => {
    addUndecided(name, false);
    renewConditioned(name);
    addDirty(name);
  };

  /** Excludes the packages that would take a name from a package that has to provide it, because all candidates do. */
  const excludeOthers = (name: number, provided: number, sparesVersionless: boolean): void => {
    if (name === provided) return;
    for (const { package: one, version } of providersOf(name)) {
      if (ownName(one) === provided || !packageState(one).isSelectable || (sparesVersionless && version === '')) continue;
      const isSpared = providesOf(one).some((other) => other.number === provided || (sparesVersionless && other.version === ''));
      if (!isSpared) disqualify(one);
    }
  };

  const isAutoSelectable = ({ package: one, version }: Provider): boolean =>
    version !== '' || graph.package(one).priority !== 0 || stateOf(ownName(one)).requirers > 0;

  /** Looks at the conditions of a package: once all are decided and hold, it is to be installed. */
  const lookAtConditions = (one: number): void => {
    const about = packageState(one);
    if (about.isTriggered || about.isNotTriggered) return;
    about.isTriggered = true;
    for (const condition of installIfOf(one)) {
      const state = stateOf(condition.number);
      if (!state.isLocked) {
        if (condition.isConflict) {
          state.isCondition = true;
          addUndecided(condition.number, false);
        }
        about.isTriggered = false;
        return;
      }
      if (!isProvided(one, condition, state.chosen)) {
        about.isTriggered = false;
        about.isNotTriggered = true;
        return;
      }
    }
  };

  const reconsider = (name: number): void => {
    const state = stateOf(name);
    const { hasNewDepends, hasNewConditions } = state;
    state.hasNewDepends = false;
    state.hasNewConditions = false;
    let [isTriggered, isNeverTriggered, hasSelectable] = [false, true, false];
    let options = 0;
    let first = NONE;
    for (const provider of providersOf(name)) {
      const one = provider.package;
      const about = packageState(one);
      about.isMerged = false;
      if (hasNewDepends && about.isSelectable && dependsOf(one).some((dependency) => !canSatisfy(one, dependency))) disqualify(one);
      if (!about.isSelectable) continue;
      if (hasNewConditions) lookAtConditions(one);
      isTriggered ||= about.isTriggered;
      isNeverTriggered &&= about.isNotTriggered;
      hasSelectable ||= about.isTriggered;
      if (state.requirers === 0) continue;
      about.isMerged = true;
      if (first === NONE) first = one;
      for (const { number, isConflict } of dependsOf(one)) if (!isConflict) countDepend(number, options);
      countProvide(ownName(one), options, provider.version === '');
      for (const { number, version } of providesOf(one)) countProvide(number, options, version === '');
      options++;
      hasSelectable ||= isAutoSelectable(provider);
    }
    state.hasOptions = options > 1;
    state.isTriggered = isTriggered;
    state.isNeverTriggered = isNeverTriggered;
    const isAgain = hasSelectable !== state.hasSelectable;
    state.hasSelectable = hasSelectable;
    if (first !== NONE) {
      for (const { package: one } of providersOf(name)) packageState(one).isInLastMerge = packageState(one).isMerged;
      passOn(name, first, options);
    }
    state.isSettled = [...dependantsOf(name)].every((other) => stateOf(other).isLocked);
    addUndecided(name, isAgain);
  };

  const countDepend = (name: number, options: number): void => {
    const state = stateOf(name);
    if (state.commonDepends === options) state.commonDepends = options + 1;
  };

  const countProvide = (name: number, options: number, isVersionless: boolean): void => {
    const state = stateOf(name);
    if (state.commonProvides !== options) return;
    state.commonProvides = options + 1;
    state.hasVersionless ||= isVersionless;
  };

  /** Applies what all candidates of a name have in common: `first` is one of them, and there are `options`. */
  const passOn = (name: number, first: number, options: number): void => {
    for (const dependency of dependsOf(first)) {
      const state = stateOf(dependency.number);
      const isCommon = state.commonDepends === options;
      state.commonDepends = 0;
      if (!isCommon) continue;
      if (options === 1) require(first, dependency);
      else if (state.requirers === 0) {
        state.requirers++;
        requirersChanged(dependency.number);
      }
    }
    const answers = [ownName(first), ...providesOf(first).map(({ number }) => number)];
    for (const answer of answers) {
      const state = stateOf(answer);
      const isCommon = state.commonProvides === options;
      state.commonProvides = 0;
      if (isCommon) excludeOthers(answer, name, state.hasVersionless);
    }
    for (const answer of answers) stateOf(answer).hasVersionless = false;
  };

  /** Returns a positive number if apk prefers the first provider of a name. */
  const preference = (one: Provider, other: Provider): number => {
    const [about, aboutOther] = [packageState(one.package), packageState(other.package)];
    const byState =
      Number(about.isSelectable) - Number(aboutOther.isSelectable) ||
      Number(about.isInLastMerge) - Number(aboutOther.isInLastMerge) ||
      aboutOther.conflicts - about.conflicts;
    if (byState !== 0) return byState;
    const byVersion = compareApkVersions(one.version, other.version);
    if (byVersion !== EQUAL) return byVersion === GREATER ? 1 : -1;
    const [first, second] = [graph.package(one.package), graph.package(other.package)];
    if (ownName(one.package) === ownName(other.package)) {
      const byOwn = compareApkVersions(first.version, second.version);
      if (byOwn !== EQUAL) return byOwn === GREATER ? 1 : -1;
    }
    return first.priority - second.priority || second.repository - first.repository;
  };

  const fail = (one: number): void => {
    const about = packageState(one);
    if (about.hasError) return;
    about.hasError = true;
    errors++;
  };

  /** Decides that a provider has a name, or that nothing has it. */
  const assign = (name: number, provider: Provider | undefined): void => {
    const state = stateOf(name);
    if (state.isLocked) {
      const { chosen } = state;
      if ((provider?.version ?? '') === '' && (chosen?.version ?? '') === '') return;
      for (const one of [provider?.package, chosen?.package]) if (one !== undefined) unfit(one);
      return;
    }
    state.isLocked = true;
    state.chosen = provider;
    leaveList(name);
    state.isDirty = false;
    if (provider !== undefined && state.requirers === 0 && packageState(provider.package).isTriggered)
      for (const condition of installIfOf(provider.package)) if (!stateOf(condition.number).isLocked) require(provider.package, condition);
    for (const other of providersOf(name)) {
      if (other.package === provider?.package) continue;
      if ((provider?.version ?? '') === '' && other.version === '') continue;
      disqualify(other.package);
    }
    renewDependants(name);
    if (provider === undefined) renewConditioned(name);
    else renewConditionedBy(provider.package);
  };

  const unfit = (one: number): void => {
    if (!packageState(one).hasError) unfitPackages.push(one);
    fail(one);
  };

  const decide = (name: number): void => {
    const state = stateOf(name);
    let chosen: Provider | undefined;
    if (state.requirers > 0 || state.isTriggered)
      for (const provider of providersOf(name)) {
        const about = packageState(provider.package);
        if (state.requirers === 0 && (!about.isTriggered || !about.isSelectable)) continue;
        if (!isAutoSelectable(provider)) continue;
        if (chosen === undefined || preference(provider, chosen) > 0) chosen = provider;
      }
    if (chosen === undefined) {
      assign(name, undefined);
      if (state.requirers === 0) return;
      errors++;
      unfilled.push(graph.nameOf(name));
      return;
    }
    const one = chosen.package;
    if (!packageState(one).isSelectable) unfit(one);
    assign(ownName(one), { package: one, version: graph.package(one).version });
    for (const { number, version } of providesOf(one)) assign(number, { package: one, version });
    for (const dependency of dependsOf(one)) require(one, dependency);
  };

  const nextDirty = (): number | undefined => {
    while (dirtyFrom < dirty.length) {
      const name = dirty[dirtyFrom++] ?? NONE;
      const state = stateOf(name);
      if (!state.isDirty) continue;
      state.isDirty = false;
      return name;
    }
    return undefined;
  };

  const nextUndecided = (): number | undefined => {
    while (settledFrom < settled.length) {
      const name = settled[settledFrom++] ?? NONE;
      if (stateOf(name).list !== SETTLED) continue;
      stateOf(name).list = NO_LIST;
      return name;
    }
    const name = selectable.pop() ?? others.pop();
    if (name !== undefined) stateOf(name).list = NO_LIST;
    return name;
  };

  for (const { number } of sorted) discoverAll(number);
  findDependants();
  for (const dependency of sorted) require(NONE, dependency);
  for (;;) {
    for (let name = nextDirty(); name !== undefined; name = nextDirty()) reconsider(name);
    const name = nextUndecided();
    if (name === undefined) break;
    decide(name);
  }

  const installed: number[] = [];
  let depth = 0;
  const record = (name: number): void => {
    const state = stateOf(name);
    if (state.isDone) return;
    state.isDone = true;
    if (++depth > MAX_DEPTH) throw new TooMuchWorkError('packages depend on each other in a chain that no real index has');
    recordPackage(state);
    depth--;
  };

  const recordPackage = (state: NameState): void => {
    const one = state.chosen?.package;
    if (one === undefined || packageState(one).isRecorded) return;
    packageState(one).isRecorded = true;
    stateOf(ownName(one)).isDone = true;
    for (const { number } of providesOf(one)) stateOf(number).isDone = true;
    for (const dependency of dependsOf(one)) follow(one, dependency);
    installed.push(one);
    for (const answer of [ownName(one), ...providesOf(one).map(({ number }) => number)])
      for (const other of graph.conditionedOf(answer)) recordIfTriggered(other);
  };

  const recordIfTriggered = (name: number): void => {
    const { chosen, isSeen, isDone } = stateOf(name);
    if (chosen === undefined || !isSeen || isDone) return;
    for (const condition of installIfOf(chosen.package)) {
      const state = stateOf(condition.number);
      if (!condition.isConflict && !state.isDone) return;
      if (!isProvided(chosen.package, condition, state.chosen)) return;
    }
    record(name);
  };

  const follow = (by: number, dependency: NumberedRelation): void => {
    const state = stateOf(dependency.number);
    const isMet = isProvided(by, dependency, state.chosen);
    if (!isMet && by !== NONE) unfit(by);
    record(dependency.number);
    const one = state.chosen?.package;
    if (one !== undefined && packageState(one).hasError && by !== NONE) fail(by);
  };

  for (const dependency of sorted) follow(NONE, dependency);
  const chosen = (name: string) => nameStates[graph.numberOf(name)]?.chosen;
  return { hasFailed: errors > 0, installed, unfit: unfitPackages, unfilled, chosen };
}

/** The bits of a name's order, above the number of its discovery: asked names come first, then real ones. */
const REAL = 2 ** 30;
const ASKED = 2 ** 31;

const newName = (): NameState => ({
  chosen: undefined,
  order: 0,
  requirers: 0,
  commonDepends: 0,
  commonProvides: 0,
  list: NO_LIST,
  isSeen: false,
  isLocked: false,
  isDirty: false,
  hasNewDepends: false,
  hasNewConditions: false,
  isTriggered: false,
  isNeverTriggered: false,
  hasOptions: false,
  isSettled: false,
  hasVersionless: false,
  hasSelectable: false,
  isCondition: false,
  isDone: false,
});

const newPackage = (): PackageState => ({
  conflicts: 0,
  isSeen: false,
  isSelectable: false,
  isMerged: false,
  isInLastMerge: false,
  isRecorded: false,
  isTriggered: false,
  isNotTriggered: false,
  hasError: false,
});
