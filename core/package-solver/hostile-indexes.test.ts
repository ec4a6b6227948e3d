import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '#core/catalogue/upstream-files.ts';
import { finished } from '#lib/sliced.ts';
import { EQUAL, GREATER, type IndexPackage, plainRelation, type Relation } from './index/index-package.ts';
import { packageTable } from './index/package-table.ts';
import { solverGraph } from './index/solver-graph.ts';
import { type PackageAnswer, type PackageQuestion, solvePackages } from './solve-packages.ts';
import { samplePackage } from './testing/sample-package.ts';

const packageOf = (name: string, facts: Partial<IndexPackage> = {}): IndexPackage =>
  samplePackage(name, { version: '1', arch: 'mips', ...facts });

const needing = (...names: (string | Relation)[]): Pick<IndexPackage, 'depends'> => ({
  depends: names.map((name) => ({ alternatives: [typeof name === 'string' ? plainRelation(name) : name], isGreedy: false })),
});

const KERNEL = { version: '6.6', vermagic: '0'.repeat(32), release: '1' };
const IMAGE = ['base-files', 'libc', 'kernel'].map((name) =>
  packageOf(name, { version: name === 'kernel' ? `6.6~${'0'.repeat(32)}-r1` : '1' }),
);

function ask(manager: PackageQuestion['manager'], packages: readonly IndexPackage[], words: readonly string[]): PackageAnswer {
  const graph = solverGraph([finished(packageTable('index', [...IMAGE, ...packages]))]);
  const rest = { arch: 'mips', kernel: KERNEL, addsAbi: manager === 'apk', defaultPackages: ['base-files', 'libc'], devicePackages: [] };
  return solvePackages({ manager, graph, packages: words, ...rest });
}

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

describe.each(['opkg', 'apk'] as const)('for %s', (manager) => {
  it('packages that need each other in a circle are all installed', () => {
    const circle = many(50, (at) => packageOf(`p${at}`, needing(`p${(at + 1) % 50}`)));
    const { verdict, installed } = ask(manager, circle, ['p7']);
    expect([verdict, installed.length]).toEqual(['yes', 53]);
  });

  it('a long chain of needs is followed, or the solver is unsure', () => {
    const chainOf = (length: number) => many(length, (at) => packageOf(`p${at}`, at + 1 < length ? needing(`p${at + 1}`) : {}));
    expect(ask(manager, chainOf(200), ['p0'])).toMatchObject({ verdict: 'yes' });
    expect(ask(manager, chainOf(50_000), ['p0'])).toMatchObject({ verdict: 'unsure', installed: [], problems: [] });
  });

  it('fifty thousand packages that provide one name take bounded work', () => {
    const providers = many(50_000, (at) => packageOf(`p${at}`, { provides: [{ name: 'any', version: '' }], ...needing('any') }));
    expect(ask(manager, providers, ['any', 'p1', 'p2'])).toMatchObject({ verdict: 'unsure', problems: [] });
  });

  it('packages that all need each other, in versions that none has, take bounded work', () => {
    const never = (name: string): Relation => ({
      name,
      version: '1'.repeat(250),
      accepts: GREATER | EQUAL,
      isFuzzy: false,
      isConflict: false,
    });
    const tangle = many(300, (at) => packageOf(`p${at}`, needing(...many(300, (other) => never(`p${other}`)))));
    const words = many(300, (at) => `p${at}`);
    expect(ask(manager, tangle, words).verdict).toBe('unsure');
  });
});

describe('an index that no real one can be is refused as a whole', () => {
  const tableOf = (packages: Iterable<IndexPackage>) => () => finished(packageTable('Packages', packages));
  it.each([
    ['packages', 'more than 60000 packages', many(60_001, (at) => packageOf(`p${at}`))],
    ['relations', 'more than 300000 relations', many(302, (at) => packageOf(`p${at}`, needing(...many(1000, (other) => `p${other}`))))],
    ['long names', 'more than 256 characters', [packageOf('p'.repeat(257))]],
    ['long versions', 'more than 256 characters', [packageOf('p', { version: '1'.repeat(10_000) })]],
    ['long needs', 'more than 256 characters', [packageOf('p', needing('q'.repeat(300)))]],
  ])('because of its %s', (_, text, packages) => {
    expect(tableOf(packages)).toThrow(MalformedFileError);
    expect(tableOf(packages)).toThrow(text);
  });

  it('but sizes beyond all files are taken as the largest', () => {
    const graph = solverGraph([finished(packageTable('Packages', [packageOf('p', { downloadSize: 1e15, installedSize: 2 ** 40 })]))]);
    const [provider] = graph.providersOf(graph.numberOf('p'));
    expect(graph.package(provider?.package ?? -1)).toMatchObject({ downloadSize: 2 ** 32 - 1, installedSize: 2 ** 32 - 1 });
  });
});
