import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([#.][^']+)'/g;

/** Every file of the repository with the files of the repository that it imports, types included. */
function importGraph(): ReadonlyMap<string, readonly string[]> {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(ROOT + file));
  const known = new Set(files);
  const target = (file: string, specifier: string) =>
    specifier.startsWith('#') ? specifier.slice(1) : posix.normalize(posix.join(posix.dirname(file), specifier));
  return new Map(
    files.map((file) => {
      const specifiers = [...readFileSync(ROOT + file, 'utf8').matchAll(IMPORT)].map(([, specifier = '']) => specifier);
      return [file, specifiers.map((specifier) => target(file, specifier)).filter((path) => known.has(path))];
    }),
  );
}

/** The first circle that a walk along the edges finds, as its nodes in order, or undefined. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];
  const walk = (node: string): readonly string[] | undefined => {
    if (finished.has(node)) return undefined;
    const start = path.indexOf(node);
    if (start !== -1) return [...path.slice(start), node];
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next);
      if (circle !== undefined) return circle;
    }
    path.pop();
    finished.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** The rooms of `core/` and `runner/` have two names; other folders are rooms as a whole. */
const roomOf = (file: string): string =>
  file
    .split('/')
    .slice(0, /^(?:core|runner)\/.*\//.test(file) ? 2 : 1)
    .join('/');

const isProduct = (file: string): boolean =>
  /^(?:core|lib|observe|settings|adapters|http|functions|runner)\//.test(file) && !/\.test\.ts$|\/testing\//.test(file);

describe('the graph of imports', () => {
  const graph = importGraph();

  it('is found', () => {
    expect(graph.size).toBeGreaterThan(500);
    expect(graph.get('core/request/prepare-build.ts')).toContain('core/request/prepared-build.ts');
    expect(
      circleIn(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', []],
          ['d', ['b']],
        ]),
      ),
    ).toEqual(['b', 'd', 'b']);
  });

  it('has no circle among files, types included', () => {
    expect(circleIn(graph)).toBeUndefined();
  });

  it('has no circle among the rooms of the product', () => {
    const rooms = new Map<string, string[]>();
    for (const [file, imports] of graph) {
      if (!isProduct(file)) continue;
      const others = imports
        .filter((path) => isProduct(path))
        .map(roomOf)
        .filter((room) => room !== roomOf(file));
      rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), ...others]);
    }
    expect(circleIn(rooms)).toBeUndefined();
  });
});
