import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { eachLine } from './lines.ts';

const linesOf = (text: string, most = Number.POSITIVE_INFINITY): string[] => {
  const lines: string[] = [];
  eachLine(text, (line) => lines.push(line) < most);
  return lines;
};

it('lines come without their ends, several line ends in a row as one empty line', () => {
  expect(linesOf('a\nb\r\n\n\n\nc')).toEqual(['a', 'b', '', 'c']);
  expect(linesOf('\n\n\na\n')).toEqual(['', 'a']);
  expect(linesOf('')).toEqual([]);
});

it('no more lines come than are wanted', () => {
  expect(linesOf('a\nb\nc\n', 2)).toEqual(['a', 'b']);
});

it('but for empty ones these are the lines that splitting gives', () => {
  const text = fc.array(fc.constantFrom('\n', '\r\n', '\r', 'a', ' ', 'bc')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (input) => {
      expect(linesOf(input).filter((line) => line !== '')).toEqual(input.split(/\r?\n/).filter((line) => line !== ''));
    }),
  );
});

it('eight million line ends are one empty line', () => {
  expect(linesOf('\n'.repeat(8 * 1024 * 1024))).toEqual(['']);
});
