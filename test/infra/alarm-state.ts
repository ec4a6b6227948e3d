import type { Series } from './metric-math.ts';

/** The settings of an alarm that determine its state. */
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
 * Returns the state of an alarm with these points in its evaluation range, which is some periods longer than the
 * periods it evaluates. The alarm uses the most recent points that exist, and `treatMissingData` only for the points
 * that it still lacks (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html).
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
