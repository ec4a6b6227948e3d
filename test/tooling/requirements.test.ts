import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = await readFile(new URL('docs/requirements.md', root), 'utf8');

interface Row {
  readonly number: string;
  readonly requirement: string;
  readonly state: string;
  readonly where: string;
  readonly shownBy: string;
}

const rows: Row[] = text
  .split('\n')
  .filter((line) => /^\| *\d/.test(line))
  .map((line) => {
    const [number = '', requirement = '', state = '', where = '', shownBy = '', ...rest] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    if (rest.length > 0) throw new Error(`too many columns: ${line}`);
    return { number, requirement, state, where, shownBy };
  });

const pathsIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? '');
/** The tests in a cell of the form `path` “name” “another name”. */
const testsIn = (cell: string) =>
  [...cell.matchAll(/`([^`]+)`((?: “[^”]+”)*)/g)].map(([, path = '', names = '']) => ({
    path,
    names: [...names.matchAll(/“([^”]+)”/g)].map(([, name]) => name ?? ''),
  }));
const decisionsIn = (cell: string) => [...cell.matchAll(/\]\(decisions\/([^)]+)\)/g)].map(([, file]) => file ?? '');
const isFile = (path: string) => existsSync(new URL(path, root));

/** The files that may show a requirement: tests, contract suites and benchmarks. */
const SHOWS = /\.test\.ts$|^test\/contracts\/[a-z-]+\.ts$|^bench\/[a-z]+\.ts$/;

/** Whether the whole name is the title of a test or of a group in the source. */
const isTitle = (name: string, source: string) => [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => source.includes(quoted));

const STATES = /^(met|open|note|(deviates|declined)( \[\d+\]\(decisions\/[^)]+\))+)$/;

describe('docs/requirements.md', () => {
  it('has every requirement once, in order', () => {
    expect(rows.map(({ number }) => Number(number))).toEqual(Array.from({ length: 145 }, (_, index) => index + 1));
  });

  it('gives each a state: met with file and test, open with what is missing, or a decision', () => {
    for (const { number, requirement, state, where, shownBy } of rows) {
      expect([number, requirement.length > 3, state]).toEqual([number, true, expect.stringMatching(STATES)]);
      if (state === 'met' || state.startsWith('deviates')) {
        expect([number, pathsIn(where).length > 0, pathsIn(shownBy).length > 0]).toEqual([number, true, true]);
        expect([number, pathsIn(shownBy).filter((path) => !SHOWS.test(path))]).toEqual([number, []]);
        expect([number, shownBy]).toEqual([number, expect.not.stringContaining('missing:')]);
      }
      if (state === 'open') expect([number, shownBy]).toEqual([number, expect.stringMatching(/missing: \S.+/)]);
    }
  });

  it.each(rows.map((row) => [row.number, row] as const))(
    '%s: every file, test and decision is there',
    async (_, { state, where, shownBy }) => {
      for (const path of [...pathsIn(where), ...pathsIn(shownBy)]) expect([path, isFile(path)]).toEqual([path, true]);
      for (const { path, names } of testsIn(shownBy)) {
        const source = await readFile(new URL(path, root), 'utf8');
        for (const name of names) expect([path, name, isTitle(name, source)]).toEqual([path, name, true]);
      }
      for (const file of decisionsIn(state + where + shownBy)) {
        expect([file, isFile(`docs/decisions/${file}`)]).toEqual([file, true]);
      }
      for (const [, shown, file] of `${state} ${where} ${shownBy}`.matchAll(/\[(\d+)\]\(decisions\/([^)]+)\)/g))
        expect(Number(file?.slice(0, 4))).toBe(Number(shown));
    },
  );

  it('counts its own rows', () => {
    const count = (state: string) => rows.filter((row) => row.state.startsWith(state)).length;
    const line = `${count('met')} met, ${count('deviates')} deviate, ${count('declined')} declined, ${count('open')} open, ${count('note')} for information`;
    expect(text).toContain(line);
  });
});
