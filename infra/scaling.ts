import { capacitySteps } from './capacity-steps.ts';
import { config } from './config.ts';
import { queue } from './queue.ts';
import { runner } from './runner.ts';

const { serviceNamespace, scalableDimension, resourceId } = runner.nodes.autoScalingTarget;

const policy = (name: string, cooldown: number, stepAdjustments: ReturnType<typeof capacitySteps>) =>
  new aws.appautoscaling.Policy(name, {
    serviceNamespace,
    scalableDimension,
    resourceId,
    policyType: 'StepScaling',
    stepScalingPolicyConfiguration: { adjustmentType: 'ExactCapacity', metricAggregationType: 'Maximum', cooldown, stepAdjustments },
  });

const metric = (metricName: string) => ({
  metric: { namespace: 'AWS/SQS', metricName, dimensions: { QueueName: queue.nodes.queue.name }, stat: 'Maximum', period: 60 },
});

interface BacklogAlarm {
  readonly comparisonOperator: string;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly action: $util.Input<string>;
}

/**
 * An alarm on the builds there are, waiting or being built: as many runners are wanted, in steps. SQS reports messages in flight
 * only while there are any, and a sum with a missing part may be missing: the first build might wait for ever, and the last runner
 * stay. `FILL` says what a missing figure means: none. Ten minutes without any figures look idle too: runners that wait for work are
 * let go then, one at work is protected until its build is over.
 */
const backlog = (name: string, { action, ...rule }: BacklogAlarm) =>
  new aws.cloudwatch.MetricAlarm(name, {
    ...rule,
    threshold: 1,
    // For form's sake: a filled series misses nothing.
    treatMissingData: 'notBreaching',
    alarmActions: [action],
    metricQueries: [
      { id: 'builds', expression: 'FILL(waiting, 0) + FILL(building, 0)', label: 'builds', returnData: true },
      { id: 'waiting', ...metric('ApproximateNumberOfMessagesVisible') },
      { id: 'building', ...metric('ApproximateNumberOfMessagesNotVisible') },
    ],
  });

/**
 * From nothing to the first runner, and on: looked at every minute for as long as there are builds. SQS's figures come a minute or two
 * late, and until then `FILL` makes a zero of them: any of three minutes counts, and the policy goes by the largest.
 */
backlog('Busy', {
  comparisonOperator: 'GreaterThanOrEqualToThreshold',
  evaluationPeriods: 3,
  datapointsToAlarm: 1,
  action: policy('ScaleToBacklog', 60, capacitySteps(config.MAX_RUNNERS)).arn,
});

/** A runner that has nothing to do is kept for a while: its caches are warm. */
backlog('Idle', {
  comparisonOperator: 'LessThanThreshold',
  evaluationPeriods: 10,
  datapointsToAlarm: 10,
  action: policy('ScaleToZero', 60, [{ metricIntervalUpperBound: '0', scalingAdjustment: 0 }]).arn,
});
