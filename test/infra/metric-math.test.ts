import { describe, expect, it } from 'vitest';
import { alarmState } from './alarm-state.ts';
import { metricMath, READINGS } from './metric-math.ts';

const none = undefined;
const series = { a: [1, none, 3, none], b: [10, 20, none, none] };

describe('metric math', () => {
  it.each([
    ['a + b', [11, 20, 3, none], [11, none, none, none]],
    ['a - b', [-9, -20, 3, none], [-9, none, none, none]],
    ['a + 1', [2, none, 4, none], [2, none, 4, none]],
    ['2 * (a + 1)', [4, none, 8, none], [4, none, 8, none]],
    ['FILL(a, 0)', [1, 0, 3, 0], [1, 0, 3, 0]],
    ['FILL(a, 0) + FILL(b, 0)', [11, 20, 3, 0], [11, 20, 3, 0]],
    ['FILL(a, 0) + b', [11, 20, 3, 0], [11, 20, none, none]],
    // A division by zero has no result.
    ['b / a', [10, none, 0, none], [10, none, none, none]],
    ['1 + 2 * 3 - a', [6, none, 4, none], [6, none, 4, none]],
  ])('%s', (expression, asZero, asNothing) => {
    expect(READINGS.map((reading) => metricMath(expression, series, reading))).toEqual([asZero, asNothing]);
  });

  it.each(['a +', 'a b', 'c', '1', 'SUM(METRICS())', 'FILL(a, REPEAT)', 'FILL(1, 0)', 'a > b', '(a', ''])('refuses "%s"', (text) => {
    expect(() => metricMath(text, series, READINGS[0])).toThrow('not understood');
  });
});

describe('the state of an alarm', () => {
  const rule = { threshold: 1, comparisonOperator: 'GreaterThanOrEqualToThreshold' };
  /** Returns points in the notation of AWS's tables: `X` breaches, `0` does not, `-` is missing. */
  const range = (text: string) => [...text].map((point) => ({ X: 1, '0': 0 })[point]);

  it.each([
    ['0-X-X', 'OK', 'OK'],
    ['0----', 'OK', 'OK'],
    ['-----', 'ALARM', 'OK'],
    ['0XX-X', 'ALARM', 'ALARM'],
    ['----X', 'ALARM', 'OK'],
    ['X----', 'ALARM', 'OK'],
  ])('three of three over %s', (points, breaching, notBreaching) => {
    const states = ['breaching', 'notBreaching'].map((treatMissingData) =>
      alarmState({ ...rule, evaluationPeriods: 3, treatMissingData }, range(points)),
    );
    expect(states).toEqual([breaching, notBreaching]);
  });

  it.each([
    ['0-X-X', 'ALARM', 'ALARM'],
    ['00X0X', 'ALARM', 'ALARM'],
    ['0-X--', 'ALARM', 'OK'],
    ['----0', 'ALARM', 'OK'],
    ['----X', 'ALARM', 'OK'],
  ])('two of three over %s', (points, breaching, notBreaching) => {
    const states = ['breaching', 'notBreaching'].map((treatMissingData) =>
      alarmState({ ...rule, evaluationPeriods: 3, datapointsToAlarm: 2, treatMissingData }, range(points)),
    );
    expect(states).toEqual([breaching, notBreaching]);
  });
});
