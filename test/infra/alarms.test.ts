import { beforeAll, describe, expect, it } from 'vitest';
import { alarmState } from './alarm-state.ts';
import { metricMath, READINGS, type Reading, type Series } from './metric-math.ts';
import { mockedDeployment, type Resource } from './mocked-deployment.ts';

type Alarm = Resource['inputs'];

let alarms: Resource[];
let policies: Resource[];
let functions: Resource[];

beforeAll(async () => {
  const resources = await mockedDeployment('alarms', { METRICS_NAMESPACE: 'chosen-by-the-operator' });
  alarms = resources.filter(({ type }) => type === 'aws:cloudwatch/metricAlarm:MetricAlarm');
  functions = resources.filter(({ type }) => type === 'aws:lambda/function:Function');
  policies = resources.filter(({ type }) => type === 'aws:appautoscaling/policy:Policy');
});

const named = (name: string): Alarm => alarms.find((alarm) => alarm.name === name)?.inputs;
const expressionOf = (alarm: Alarm): string => alarm.metricQueries.find(({ returnData }: Alarm) => returnData).expression;
const idsOf = (alarm: Alarm): string[] => alarm.metricQueries.flatMap(({ id, metric }: Alarm) => (metric ? [id] : []));

/** The minutes that CloudWatch looks at, which are some more than an alarm evaluates. */
const MINUTES = 15;
const always = (value: number | undefined): Series => Array.from({ length: MINUTES }, () => value);
const ABSENT = always(undefined);
/** Returns the series without the figures of the last minutes, which have not arrived yet. */
const late = (series: Series, minutes: number): Series => [...series.slice(0, -minutes), ...ABSENT.slice(0, minutes)];
/** Returns a series with this value in the last minutes. */
const since = (minutes: number, value: number, before?: number): Series => [
  ...always(before).slice(minutes),
  ...always(value).slice(0, minutes),
];

describe('every expression', () => {
  it('has the same result whichever series has no data, now or at all, for either treatment of missing points', () => {
    const withMath = alarms.filter(({ inputs }) => inputs.metricQueries);
    expect(withMath.map(({ name }) => name).sort()).toEqual(['Busy', 'Idle']);
    for (const { name, inputs } of withMath) {
      const ids = idsOf(inputs);
      const whole = Object.fromEntries(ids.map((id, index) => [id, always(index + 2)]));
      for (let subset = 1; subset < 2 ** ids.length; subset++)
        for (const minutes of [1, 2, MINUTES]) {
          const some = ids.filter((_, index) => subset & (2 ** index));
          const missing = { ...whole, ...Object.fromEntries(some.map((id) => [id, late(whole[id] ?? [], minutes)])) };
          const zero = { ...whole, ...Object.fromEntries(some.map((id) => [id, (missing[id] ?? []).map((point) => point ?? 0)])) };
          for (const reading of READINGS) {
            const result = metricMath(expressionOf(inputs), missing, reading);
            expect([name, some, minutes, reading, result]).toEqual([
              name,
              some,
              minutes,
              reading,
              metricMath(expressionOf(inputs), zero, reading),
            ]);
          }
        }
    }
  });
});

describe.each(READINGS)('scaling, if in arithmetic %s', (reading: Reading) => {
  const state = (name: string, waiting: Series, building: Series) =>
    alarmState(named(name), metricMath(expressionOf(named(name)), { waiting, building }, reading));

  it.each([
    // SQS reports messages in flight only while there are any.
    ['the first build ever waits', since(1, 1), ABSENT, 'ALARM'],
    ['builds wait, and none has ever started', always(3), ABSENT, 'ALARM'],
    ['a build runs and none waits', always(0), always(1), 'ALARM'],
    ['a build runs and there is no figure for waiting builds', ABSENT, always(1), 'ALARM'],
    ['a build waits and figures arrive a minute late', late(always(1), 1), ABSENT, 'ALARM'],
    ['a build waits and figures arrive two minutes late', late(since(3, 1, 0), 2), late(always(0), 2), 'ALARM'],
    ['no build waits or runs', always(0), always(0), 'OK'],
    ['no build waits and there is no figure for running builds', always(0), ABSENT, 'OK'],
    ['there are no figures at all', ABSENT, ABSENT, 'OK'],
  ])('the state of the alarm Busy when %s', (_, waiting, building, wanted) => {
    expect(state('Busy', waiting, building)).toBe(wanted);
  });

  it.each([
    ['a build waits', always(1), ABSENT, 'OK'],
    ['a build has run for long', ABSENT, always(1), 'OK'],
    ['a build runs and figures arrive two minutes late', late(always(0), 2), late(always(1), 2), 'OK'],
    ['a build ended five minutes ago', always(0), [...always(1).slice(5), ...ABSENT.slice(0, 5)], 'OK'],
    ['nothing has happened for ten minutes', since(10, 0, 1), since(10, 0, 1), 'ALARM'],
    ['there has been no figure for running builds for ten minutes', always(0), since(5, 1).toReversed(), 'ALARM'],
    ['there are no figures at all', ABSENT, ABSENT, 'ALARM'],
  ])('the state of the alarm Idle when %s', (_, waiting, building, wanted) => {
    expect(state('Idle', waiting, building)).toBe(wanted);
  });
});

describe('scaling', () => {
  it('uses the largest figure that the alarm evaluated, not the zero that stands for a minute without a figure', () => {
    for (const { inputs } of policies) expect(inputs.stepScalingPolicyConfiguration.metricAggregationType).toBe('Maximum');
    expect(policies.length).toBe(2);
  });
});

describe('alarms of a single metric', () => {
  it('go off after one period above the threshold, recover after the next one below it, and stay quiet without figures', () => {
    const plain = alarms.filter(({ inputs }) => !inputs.metricQueries);
    expect(plain.length).toBeGreaterThan(20);
    for (const { name, inputs } of plain) {
      const { threshold } = inputs;
      const states = [[threshold + 1], [threshold + 1, threshold], [0], []].map((points) =>
        alarmState(inputs, [...ABSENT, ...points].slice(-5)),
      );
      expect([name, ...states]).toEqual([name, 'ALARM', 'OK', 'OK', 'OK']);
    }
  });
});

describe('alarms of our own metrics', () => {
  it('use the namespace that functions write to, including one that the operator chose', () => {
    const ours = alarms.filter(({ name }) => name.endsWith('UnexpectedErrorsAlarm'));
    expect(ours.length).toBe(functions.length - 1);
    for (const { inputs } of functions) expect(inputs.environment.variables.METRICS_NAMESPACE).toBe('chosen-by-the-operator');
    for (const { inputs } of ours) expect(inputs.namespace).toBe('chosen-by-the-operator');
  });
});
