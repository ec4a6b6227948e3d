/** The values of a metric by period, the oldest first; undefined for a period without a data point. */
export type Series = readonly (number | undefined)[];

/**
 * The possible results of arithmetic for a period in which only one operand has a data point. AWS's guide says that the
 * missing one counts as 0 (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html);
 * users report that there is no result. Our expressions must mean the same in both cases.
 */
export const READINGS = ['missing counts as 0', 'missing leaves nothing'] as const;
export type Reading = (typeof READINGS)[number];

type Value = number | Series;

/**
 * Returns the series that CloudWatch computes for an expression over series of the same length. It supports the metric
 * math that we use: numbers, ids, `+ - * /`, parentheses, and `FILL` with a number. It throws on anything else, so that
 * the author of a new expression extends it.
 */
export function metricMath(expression: string, series: Readonly<Record<string, Series>>, reading: Reading): Series {
  const tokens = tokensOf(expression);
  const fail = (): never => {
    throw new Error(`not understood: ${expression}`);
  };
  const expect = (token: string) => tokens.shift() === token || fail();

  const factor = (): Value => {
    const token = tokens.shift() ?? fail();
    if (/^\d/.test(token)) return Number(token);
    if (token === '(') {
      const value = sum();
      expect(')');
      return value;
    }
    if (token === 'FILL') {
      expect('(');
      const value = sum();
      expect(',');
      const filler = factor();
      expect(')');
      return typeof value === 'number' || typeof filler !== 'number' ? fail() : value.map((point) => point ?? filler);
    }
    return series[token] ?? fail();
  };
  const chain = (operand: () => Value, ...operators: string[]): Value => {
    let value = operand();
    while (operators.includes(tokens[0] ?? '')) value = combined(value, tokens.shift() ?? '', operand(), reading);
    return value;
  };
  const product = (): Value => chain(factor, '*', '/');
  const sum = (): Value => chain(product, '+', '-');

  const result = sum();
  // An alarm cannot watch an expression that is only a number.
  return typeof result === 'number' || tokens.length > 0 ? fail() : result;
}

function tokensOf(expression: string): string[] {
  const tokens = expression.match(/\d+(\.\d+)?|[A-Za-z]\w*|[^\s]/g);
  return [...(tokens ?? [])];
}

function combined(left: Value, operator: string, right: Value, reading: Reading): Value {
  if (typeof left === 'number' && typeof right === 'number') return calculated(left, operator, right) ?? Number.NaN;
  const length = typeof left === 'number' ? (right as Series).length : left.length;
  return Array.from({ length }, (_, index) => {
    const [a, b] = [left, right].map((value) => (typeof value === 'number' ? value : value[index]));
    const isNone = [left, right].every((value, side) => typeof value === 'number' || [a, b][side] === undefined);
    if (isNone || (reading === 'missing leaves nothing' && (a === undefined || b === undefined))) return undefined;
    return calculated(a ?? 0, operator, b ?? 0);
  });
}

/** Returns the quotient, or undefined for a division by zero. */
function calculated(left: number, operator: string, right: number): number | undefined {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  return right === 0 ? undefined : left / right;
}
