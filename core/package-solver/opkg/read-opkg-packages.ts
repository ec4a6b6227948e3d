import { type PackageFields, readParagraphs } from '#core/catalogue/packages-paragraphs.ts';
import type { Sliced } from '#lib/sliced.ts';
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

const FIELDS = new Set([
  'Package',
  'Version',
  'Architecture',
  'Depends',
  'Pre-Depends',
  'Provides',
  'Conflicts',
  'Replaces',
  'Recommends',
  'Size',
  'Installed-Size',
  'Description',
]);

/** Returns the packages in opkg's `Packages`. Of a description it keeps the first line. */
export function* readOpkgPackages(bytes: Uint8Array): Sliced<IndexPackage[]> {
  const packages: IndexPackage[] = [];
  yield* readParagraphs(bytes, { wanted: FIELDS, use: (fields) => void packages.push(packageOf(fields)) });
  return packages;
}

function packageOf(fields: PackageFields): IndexPackage {
  const field = (name: string): string => fields.get(name) ?? '';
  return {
    name: field('Package'),
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
    description: field('Description'),
  };
}

const sizeOf = (text: string): number => (/^\d{1,12}$/.test(text) ? Number(text) : 0);
