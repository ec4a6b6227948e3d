import { type Dependency, EQUAL, GREATER, type IndexPackage, LESS, type Relation } from '../index/index-package.ts';

const CONSTRAINED = /^(\S+)\s*\(\s*(<<|<=|>=|>>|=|<|>)\s*([^)]*)\)/;
/** The results that an operator accepts. opkg reads a lone `<` as `<=` and a lone `>` as `>=`. */
const OPERATORS: Readonly<Record<string, number>> = {
  '<<': LESS,
  '<': LESS | EQUAL,
  '<=': LESS | EQUAL,
  '=': EQUAL,
  '>=': GREATER | EQUAL,
  '>': GREATER | EQUAL,
  '>>': GREATER,
};

const GREEDY = /\s\*\s*(?:\||$)/;

/** Returns the dependencies of a field such as Depends: entries with commas between them, alternatives with bars. */
const parseDependencies = (field: string): Dependency[] =>
  field
    .split(',')
    .map((text) => text.trim())
    .map((text) => ({
      alternatives: text
        .split('|')
        .map(parseRelation)
        .filter(({ name }) => name !== ''),
      isGreedy: GREEDY.test(text),
    }))
    .filter(({ alternatives }) => alternatives.length > 0);

function parseRelation(text: string): Relation {
  const trimmed = text.trim();
  const [, name, operator = '', version = ''] = CONSTRAINED.exec(trimmed) ?? [];
  return {
    name: name ?? trimmed.split(/\s/, 1)[0] ?? '',
    version: version.trim(),
    accepts: OPERATORS[operator] ?? 0,
    isFuzzy: false,
    isConflict: false,
  };
}

/** Returns the fields of one paragraph of `Packages` as a package; `undefined` if it names none. */
export function readOpkgPackage(fields: ReadonlyMap<string, string>): IndexPackage | undefined {
  const field = (name: string): string => fields.get(name) ?? '';
  const name = field('Package');
  if (name === '') return undefined;
  return {
    name,
    version: field('Version'),
    arch: field('Architecture'),
    depends: parseDependencies(`${field('Pre-Depends')},${field('Depends')}`),
    conflicts: parseDependencies(field('Conflicts')).flatMap(({ alternatives }) => alternatives),
    provides: field('Provides')
      .split(/[\s,]+/)
      .filter((provided) => provided !== '')
      .map((provided) => ({ name: provided, version: '' })),
    installIf: [],
    priority: 0,
    tags: [],
    identity: '',
    isBeyond: fields.has('Replaces') || fields.has('Recommends'),
    downloadSize: sizeOf(field('Size')),
    installedSize: sizeOf(field('Installed-Size')),
    description: field('Description').split('\n', 1)[0] ?? '',
  };
}

const sizeOf = (text: string): number => (/^\d{1,12}$/.test(text) ? Number(text) : 0);
