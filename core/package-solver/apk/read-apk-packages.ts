import { openAdb } from '#core/catalogue/apk-index.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';
import { EQUAL, type IndexPackage, type Relation } from '../index/index-package.ts';

/** Fields of apk-tools' schemas (src/apk_adb.h); 0 is the number of slots. */
const INDEX_PACKAGES = 2;
const DEPENDENCY = { name: 1, version: 2, match: 3 } as const;
const PACKAGE = {
  name: 1,
  version: 2,
  identity: 3,
  arch: 5,
  description: 4,
  installedSize: 12,
  downloadSize: 13,
  priority: 14,
  depends: 15,
  provides: 16,
  installIf: 18,
  tags: 21,
} as const;
const [RESULTS, FUZZY, CONFLICT] = [7, 8, 16];

/** A package has some twenty texts. */
const PACKAGES_PER_PIECE = PIECE / 20;

/** Returns the packages in apk's `packages.adb`, unpacked. */
export function* readApkPackages(bytes: Uint8Array): Sliced<IndexPackage[]> {
  const tree = openAdb(bytes);
  const listed = tree.slots(tree.slots(tree.root)[INDEX_PACKAGES] ?? 0);
  const packages: IndexPackage[] = [];
  for (let item = 1; item < listed.length; item++) {
    if (item % PACKAGES_PER_PIECE === 0) yield;
    const field = tree.slots(listed[item] ?? 0);
    const text = (index: number) => tree.text(field[index] ?? 0);
    const list = (index: number) => tree.slots(field[index] ?? 0).slice(1);
    const dependencies = (index: number) => list(index).map((one) => dependencyOf(tree.slots(one), tree));
    packages.push({
      name: text(PACKAGE.name),
      version: text(PACKAGE.version),
      arch: text(PACKAGE.arch),
      depends: dependencies(PACKAGE.depends).map((relation) => ({ alternatives: [relation], isGreedy: false })),
      conflicts: [],
      provides: dependencies(PACKAGE.provides).map(({ name, version }) => ({ name, version })),
      installIf: dependencies(PACKAGE.installIf),
      priority: tree.integer(field[PACKAGE.priority] ?? 0),
      tags: list(PACKAGE.tags).map(tree.text),
      identity: tree.hex(field[PACKAGE.identity] ?? 0),
      isBeyond: false,
      downloadSize: tree.integer(field[PACKAGE.downloadSize] ?? 0),
      installedSize: tree.integer(field[PACKAGE.installedSize] ?? 0),
      description: text(PACKAGE.description),
    });
  }
  return packages;
}

function dependencyOf(field: readonly number[], tree: ReturnType<typeof openAdb>): Relation {
  const version = tree.text(field[DEPENDENCY.version] ?? 0);
  const match = tree.integer(field[DEPENDENCY.match] ?? 0);
  return {
    name: tree.text(field[DEPENDENCY.name] ?? 0),
    version,
    accepts: version === '' ? 0 : match & RESULTS || EQUAL,
    isFuzzy: (match & FUZZY) !== 0,
    isConflict: (match & CONFLICT) !== 0,
  };
}
