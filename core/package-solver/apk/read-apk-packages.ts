import { type AdbPackage, CONFLICT, DEPENDENCY, PACKAGE, readAdbPackages } from '#core/catalogue/adb-packages.ts';
import type { Sliced } from '#lib/sliced.ts';
import { EQUAL, type IndexPackage, type Relation } from '../index/index-package.ts';

/** Further bits in how a dependency is matched: the accepted results, and whether a version is accepted that begins so. */
const [RESULTS, FUZZY] = [7, 8];

/** About how many texts a package has. */
const TEXTS = 20;

/** Returns the packages in apk's `packages.adb`, unpacked. */
export const readApkPackages = (bytes: Uint8Array): Sliced<IndexPackage[]> =>
  readAdbPackages(bytes, TEXTS, ({ text, texts, integer, hex, dependencies, tree }) => {
    const relations = (field: number) => dependencies(field).map((slots) => relationOf(slots, tree));
    return {
      name: text(PACKAGE.name),
      version: text(PACKAGE.version),
      arch: text(PACKAGE.arch),
      depends: relations(PACKAGE.depends).map((relation) => ({ alternatives: [relation], isGreedy: false })),
      conflicts: [],
      provides: relations(PACKAGE.provides).map(({ name, version }) => ({ name, version })),
      installIf: relations(PACKAGE.installIf),
      priority: integer(PACKAGE.priority),
      tags: texts(PACKAGE.tags),
      identity: hex(PACKAGE.identity),
      isBeyond: false,
      downloadSize: integer(PACKAGE.downloadSize),
      installedSize: integer(PACKAGE.installedSize),
      description: text(PACKAGE.description),
    };
  });

function relationOf(slots: readonly number[], tree: AdbPackage['tree']): Relation {
  const version = tree.text(slots[DEPENDENCY.version] ?? 0);
  const match = tree.integer(slots[DEPENDENCY.match] ?? 0);
  return {
    name: tree.text(slots[DEPENDENCY.name] ?? 0),
    version,
    accepts: version === '' ? 0 : match & RESULTS || EQUAL,
    isFuzzy: (match & FUZZY) !== 0,
    isConflict: (match & CONFLICT) !== 0,
  };
}
