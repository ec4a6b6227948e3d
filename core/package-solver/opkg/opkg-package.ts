/** A package of opkg's index, with what decides whether and when it is installed. */
export interface OpkgPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** What it needs: all entries, and of each entry one alternative. */
  readonly depends: readonly OpkgDependency[];
  /** Other names that it answers to. */
  readonly provides: readonly string[];
  /** Packages that may not be installed with it. */
  readonly conflicts: readonly OpkgName[];
  /** Whether it uses what the solver does not follow: Replaces or Recommends. */
  readonly isBeyond: boolean;
}

export interface OpkgDependency {
  readonly alternatives: readonly OpkgName[];
  /** The dependency as the package declares it. */
  readonly text: string;
  /** Whether it asks, with a star, for all providers of its names whose own needs are met already. */
  readonly isGreedy: boolean;
}

/** A name, perhaps with a constraint on its version. */
export interface OpkgName {
  readonly name: string;
  readonly operator?: Operator;
  readonly version?: string;
}

export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

const CONSTRAINED = /^(\S+)\s*\(\s*(<<|<=|>=|>>|=|<|>)\s*([^)]*)\)/;
/** opkg reads the short forms as these. */
const SHORT: Readonly<Record<string, Operator>> = { '<': '<=', '>': '>=' };

/** Returns the dependencies of a field such as Depends: entries with commas between them, alternatives with bars. */
export const parseDependencies = (field: string): OpkgDependency[] =>
  field
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => ({
      text,
      alternatives: text
        .split('|')
        .map(parseName)
        .filter(({ name }) => name !== ''),
      isGreedy: GREEDY.test(text),
    }))
    .filter(({ alternatives }) => alternatives.length > 0);

const GREEDY = /\s\*\s*(?:\||$)/;

function parseName(text: string): OpkgName {
  const trimmed = text.trim();
  const [, name, operator, version] = CONSTRAINED.exec(trimmed) ?? [];
  if (name === undefined || operator === undefined || version === undefined) return { name: trimmed.split(/\s/, 1)[0] ?? '' };
  return { name, operator: SHORT[operator] ?? (operator as Operator), version: version.trim() };
}

/** Returns the fields of one paragraph of `Packages` as a package; `undefined` if it names none. */
export function opkgPackage(fields: ReadonlyMap<string, string>): OpkgPackage | undefined {
  const name = fields.get('Package');
  if (name === undefined || name === '') return undefined;
  const depends = `${fields.get('Pre-Depends') ?? ''},${fields.get('Depends') ?? ''}`;
  return {
    name,
    version: fields.get('Version') ?? '',
    arch: fields.get('Architecture') ?? '',
    depends: parseDependencies(depends),
    provides: (fields.get('Provides') ?? '').split(/[\s,]+/).filter((provided) => provided !== ''),
    conflicts: parseDependencies(fields.get('Conflicts') ?? '').flatMap(({ alternatives }) => alternatives),
    isBeyond: fields.has('Replaces') || fields.has('Recommends'),
  };
}
