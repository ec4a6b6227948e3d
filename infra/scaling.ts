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
 * Makes an alarm on the number of builds that wait or run. SQS reports messages in flight only while there are any, and
 * a sum with a missing operand may be missing too. The first build could then wait forever, and the last runner would
 * never stop. `FILL` therefore counts a missing figure as zero. Ten minutes without any figures also count as idle:
 * idle runners stop then, while a runner that builds is protected until its build has ended.
 */
const backlog = (name: string, { action, ...rule }: BacklogAlarm) =>
  new aws.cloudwatch.MetricAlarm(name, {
    ...rule,
    threshold: 1,
    // This has no effect, since a filled series has no missing data.
    treatMissingData: 'notBreaching',
    alarmActions: [action],
    metricQueries: [
      { id: 'builds', expression: 'FILL(waiting, 0) + FILL(building, 0)', label: 'builds', returnData: true },
      { id: 'waiting', ...metric('ApproximateNumberOfMessagesVisible') },
      { id: 'building', ...metric('ApproximateNumberOfMessagesNotVisible') },
    ],
  });

/**
 * Starts runners. The alarm acts every minute for as long as there are builds. SQS's figures come a minute or two late,
 * and until then `FILL` counts them as zero. One of three minutes is therefore enough for the alarm, and the policy
 * uses the largest figure.
 */
backlog('Busy', {
  comparisonOperator: 'GreaterThanOrEqualToThreshold',
  evaluationPeriods: 3,
  datapointsToAlarm: 1,
  action: policy('ScaleToBacklog', 60, capacitySteps(config.MAX_RUNNERS)).arn,
});

/** Stops idle runners, but only after ten minutes, since their caches are warm. */
backlog('Idle', {
  comparisonOperator: 'LessThanThreshold',
  evaluationPeriods: 10,
  datapointsToAlarm: 10,
  action: policy('ScaleToZero', 60, [{ metricIntervalUpperBound: '0', scalingAdjustment: 0 }]).arn,
});
