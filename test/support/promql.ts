export interface Matcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface PromqlNames {
  readonly selectors: readonly Selector[];
  /** The labels by which the expression groups or joins results. */
  readonly grouped: readonly string[];
}

const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);
const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|==|>=|<=|[^\s\w]/g;

/** Returns the metrics and labels in a PromQL expression. It parses only enough of the language to check names. */
export function namesIn(expression: string): PromqlNames {
  const tokens = (expression.match(TOKEN) ?? []).filter((token) => token.trim() !== '' && !token.startsWith('['));
  const selectors: Selector[] = [];
  const grouped: string[] = [];
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] ?? '';
    if (!/^[a-zA-Z_:]/.test(token) || WORDS.has(token)) continue;
    if (GROUPING.has(token)) {
      const end = tokens.indexOf(')', i);
      grouped.push(...tokens.slice(i + 2, end).filter((label) => label !== ','));
      i = end;
    } else if (tokens[i + 1] === '{') {
      const end = tokens.indexOf('}', i);
      selectors.push({ metric: token, matchers: matchersIn(tokens.slice(i + 2, end)) });
      i = end;
    } else if (tokens[i + 1] !== '(' && !GROUPING.has(tokens[i + 1] ?? '')) selectors.push({ metric: token, matchers: [] });
  }
  return { selectors, grouped };
}

function matchersIn(tokens: readonly string[]): Matcher[] {
  const matchers: Matcher[] = [];
  for (let i = 0; i + 2 < tokens.length; i += 4)
    matchers.push({ label: tokens[i] ?? '', op: tokens[i + 1] as Matcher['op'], value: JSON.parse(tokens[i + 2] ?? '""') });
  return matchers;
}

/** One line of the answer of `/metrics`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Parses the text format of Prometheus. */
export function familiesIn(text: string): Family[] {
  return text
    .split(/^# HELP /m)
    .slice(1)
    .map((part) => {
      const [head = '', type = '', ...lines] = part.split('\n');
      const [name = '', ...help] = head.split(' ');
      return { name, type: type.split(' ').at(-1) ?? '', help: help.join(' '), samples: lines.filter(Boolean).map(sampleOf) };
    });
}

function sampleOf(line: string): Sample {
  const [, name = '', inner = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
  const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [label, value]);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}
