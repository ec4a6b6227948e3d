import type { Series } from './metric-math.ts';

/** What an alarm goes by. */
export interface AlarmRule {
  readonly threshold: number;
  readonly comparisonOperator: string;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm?: number;
  readonly treatMissingData?: string;
}

const BREACHES: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/**
 * The state of an alarm whose evaluation range, which is some periods longer than what it evaluates, has these points: it goes by the
 * most recent points that are there, and by `treatMissingData` only for as many as are wanting
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html).
 */
export function alarmState(rule: AlarmRule, range: Series): 'ALARM' | 'OK' {
  const { threshold, comparisonOperator, evaluationPeriods, datapointsToAlarm = evaluationPeriods, treatMissingData } = rule;
  const isBreaching = BREACHES[comparisonOperator];
  if (isBreaching === undefined) throw new Error(`not understood: ${comparisonOperator}`);
  if (treatMissingData !== 'notBreaching' && treatMissingData !== 'breaching') throw new Error(`not understood: ${treatMissingData}`);
  const points = range.filter((point) => point !== undefined).slice(-evaluationPeriods);
  const wanting = treatMissingData === 'breaching' ? evaluationPeriods - points.length : 0;
  const breaching = points.filter((point) => isBreaching(point, threshold)).length + wanting;
  return breaching >= datapointsToAlarm ? 'ALARM' : 'OK';
}
