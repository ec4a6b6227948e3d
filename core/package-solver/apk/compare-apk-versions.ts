import { EQUAL, GREATER, LESS } from '../index/index-package.ts';

/** The kinds of parts that a version may have, in the order in which they may stand. */
const [FIRST, NUMBER, LETTER, SUFFIX, SUFFIX_NUMBER, COMMIT, REVISION, END, INVALID] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

interface Part {
  readonly kind: number;
  readonly text: string;
}

/** The suffixes in ascending order. Those before `NO_SUFFIX` come before a version without any. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const NO_SUFFIX = SUFFIXES.indexOf('');
const PART = /(\.?\d+)|([a-z])|_([a-z]+)|~([0-9a-f]+)|-r(\d+)/y;

/**
 * Returns the parts of a version: `1.2.3b_rc1~8d4a6e2f-r4`. The last part is `END`, or `INVALID` from where the text is
 * no version.
 */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let kind = -1;
  const add = (next: number, value: string): void => {
    kind = next;
    parts.push({ kind, text: value });
  };
  for (PART.lastIndex = 0; PART.lastIndex < text.length; ) {
    const [, number, letter, suffix, commit, revision] = PART.exec(text) ?? [];
    const digits = number?.startsWith('.') === true ? number.slice(1) : number;
    if (digits !== undefined && kind === -1 && digits === number) add(FIRST, digits);
    else if (digits !== undefined && (kind === FIRST || kind === NUMBER)) add(NUMBER, digits);
    else if (digits !== undefined && kind === SUFFIX && digits === number) add(SUFFIX_NUMBER, digits);
    else if (letter !== undefined && (kind === FIRST || kind === NUMBER)) add(LETTER, letter);
    else if (suffix !== undefined && kind >= FIRST && kind <= SUFFIX_NUMBER && SUFFIXES.includes(suffix)) add(SUFFIX, suffix);
    else if (commit !== undefined && kind >= FIRST && kind < COMMIT) add(COMMIT, commit);
    else if (revision !== undefined && kind >= FIRST && kind < REVISION) add(REVISION, revision);
    else {
      add(INVALID, '');
      return parts;
    }
  }
  add(kind === -1 ? INVALID : END, '');
  return parts;
}

/** Returns whether apk accepts the text as a version. */
export const isApkVersion = (text: string): boolean => partsOf(text).at(-1)?.kind === END;

/**
 * Returns `EQUAL`, `LESS` or `GREATER`. The empty version, which a provided name without version has, is less than all
 * others. With `isFuzzy` a version equals each one that it is the beginning of, part by part.
 */
export function compareApkVersions(one: string, two: string, isFuzzy = false): number {
  if (one === two) return EQUAL;
  const [parts, others] = [partsOf(one), partsOf(two)];
  for (let at = 0; ; at++) {
    const [part, other] = [parts[at], others[at]];
    if (part === undefined || other === undefined) return EQUAL;
    if (part.kind === other.kind && part.kind < END) {
      const order = compareParts(part, other);
      if (order !== 0) return order < 0 ? LESS : GREATER;
    } else return compareEnds(part, other, isFuzzy);
  }
}

function compareEnds(part: Part, other: Part, isFuzzy: boolean): number {
  if (part.kind === other.kind || (isFuzzy && other.kind === END)) return EQUAL;
  if (isBefore(part)) return LESS;
  if (isBefore(other)) return GREATER;
  return part.kind > other.kind ? LESS : GREATER;
}

/** Whether the part makes its version a forerunner of the one without it. */
const isBefore = ({ kind, text }: Part): boolean => kind === SUFFIX && SUFFIXES.indexOf(text) < NO_SUFFIX;

function compareParts({ kind, text }: Part, { text: other }: Part): number {
  if (kind === SUFFIX) return SUFFIXES.indexOf(text) - SUFFIXES.indexOf(other);
  const isText = kind === LETTER || kind === COMMIT || (kind === NUMBER && (text.startsWith('0') || other.startsWith('0')));
  return isText ? compareTexts(text, other) : compareNumbers(text, other);
}

const compareTexts = (one: string, two: string): number => (one === two ? 0 : one < two ? -1 : 1);

function compareNumbers(one: string, two: string): number {
  const [digits, others] = [one.replace(/^0+/, ''), two.replace(/^0+/, '')];
  return digits.length - others.length || compareTexts(digits, others);
}
