import { PIECE, type Sliced } from '#lib/sliced.ts';
import type { ListedPackage } from './package-files.ts';

/** The parts of a listed package that say what it needs. */
type Needs = Pick<ListedPackage, 'name' | 'depends' | 'provides'>;

/**
 * Returns the packages with the given names, and those that they need, as far as their names say it. Package managers
 * decide by versions, conflicts and the order of repositories, too, so they may need others of a name that several
 * packages provide, and not all that are returned: use the result to fetch in advance, never to decide what an image has.
 */
export function* neededPackages<T extends Needs>(names: readonly string[], offered: readonly T[]): Sliced<T[]> {
  const byName = new Map<string, T[]>();
  const byProvided = new Map<string, T[]>();
  let steps = 0;
  for (const one of offered) {
    if (++steps % PIECE === 0) yield;
    addTo(byName, one.name, one);
    for (const name of one.provides) addTo(byProvided, name, one);
  }
  const needed = new Set<T>();
  // A set takes further names while it is read.
  const wanted = new Set(names);
  for (const name of wanted) {
    if (++steps % PIECE === 0) yield;
    for (const one of byName.get(name) ?? onlyOne(byProvided.get(name))) {
      needed.add(one);
      for (const other of one.depends) wanted.add(other);
    }
  }
  return [...needed];
}

function addTo<T>(map: Map<string, T[]>, name: string, one: T): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [one]);
  else known.push(one);
}

/** Returns the packages if they are one package, perhaps in several repositories. */
const onlyOne = <T extends Needs>(providers: readonly T[] = []): readonly T[] =>
  new Set(providers.map(({ name }) => name)).size === 1 ? providers : [];
