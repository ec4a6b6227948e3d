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

/** Builds there are, waiting or being built: as many runners are wanted, in steps. */
const backlog = (name: string, comparisonOperator: string, evaluationPeriods: number, action: $util.Input<string>) =>
  new aws.cloudwatch.MetricAlarm(name, {
    comparisonOperator,
    threshold: 1,
    evaluationPeriods,
    treatMissingData: 'notBreaching',
    alarmActions: [action],
    metricQueries: [
      { id: 'builds', expression: 'waiting + building', label: 'builds', returnData: true },
      { id: 'waiting', ...metric('ApproximateNumberOfMessagesVisible') },
      { id: 'building', ...metric('ApproximateNumberOfMessagesNotVisible') },
    ],
  });

/** From nothing to the first runner, and on: looked at every minute for as long as there are builds. */
backlog('Busy', 'GreaterThanOrEqualToThreshold', 1, policy('ScaleToBacklog', 60, capacitySteps(config.MAX_RUNNERS)).arn);

/** A runner that has nothing to do is kept for a while: its caches are warm. */
backlog('Idle', 'LessThanThreshold', 10, policy('ScaleToZero', 60, [{ metricIntervalUpperBound: '0', scalingAdjustment: 0 }]).arn);
