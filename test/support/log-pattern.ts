type Line = Readonly<Record<string, unknown>>;

/**
 * Returns whether a CloudWatch filter of JSON logs matches the line. It supports the part of the syntax that we use:
 * texts with `=` and `!=`, `*` for any characters, `IS FALSE`, `&&`, `||` and parentheses
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). It throws on anything else.
 */
export function matchesLogPattern(pattern: string, line: Line): boolean {
  const tokens = pattern.match(/"[^"]*"|&&|\|\||!=|[{}()=]|\$\.\w+|\w+|\S/g) ?? [];
  const fail = (): never => {
    throw new Error(`not understood: ${pattern}`);
  };
  const expect = (token: string) => tokens.shift() === token || fail();

  const term = (): boolean => {
    if (tokens[0] === '(') {
      tokens.shift();
      const isMatch = either();
      expect(')');
      return isMatch;
    }
    const [name = '', operator, value = ''] = tokens.splice(0, 3);
    if (!name.startsWith('$.')) return fail();
    const found = line[name.slice('$.'.length)];
    if (operator === 'IS' && value === 'FALSE') return found === false;
    if ((operator !== '=' && operator !== '!=') || !/^".*"$/.test(value)) return fail();
    // A missing property matches neither operator.
    return typeof found === 'string' && textPattern(value.slice(1, -1)).test(found) === (operator === '=');
  };
  // Every operand must be read, even if the first one decides.
  const all = (): boolean => operands(term, '&&').every(Boolean);
  const either = (): boolean => operands(all, '||').some(Boolean);
  const operands = (operand: () => boolean, operator: string): boolean[] => {
    const values = [operand()];
    while (tokens[0] === operator) {
      tokens.shift();
      values.push(operand());
    }
    return values;
  };

  expect('{');
  const isMatch = either();
  expect('}');
  return tokens.length === 0 ? isMatch : fail();
}

const textPattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('.*')}$`,
  );
