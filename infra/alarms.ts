import { api, functions } from './api.ts';
import { API_FAILURE_PATTERN } from './api-failures.ts';
import { config } from './config.ts';
import { maintenance } from './maintenance.ts';
import { deadLetters, queue } from './queue.ts';
import { runner, runnerLogGroup } from './runner.ts';
import { RUNNER_FAILURE_PATTERN } from './runner-failures.ts';
import { metricsNamespace, physicalName } from './stage.ts';
import { builds, statistics } from './table.ts';

const topic = new sst.aws.SnsTopic('Alarms');
if (config.ALARM_EMAIL !== undefined)
  new aws.sns.TopicSubscription('AlarmEmail', { topic: topic.arn, protocol: 'email', endpoint: config.ALARM_EMAIL });

/** Makes an alarm that goes off when the metric's sum (or `statistic`) over five minutes exceeds `above`. */
const alarm = (
  name: string,
  alarmDescription: string,
  metric: { namespace: string; metricName: string; dimensions?: Record<string, $util.Input<string>>; statistic?: string; above?: number },
) => {
  const { above = 0, statistic = 'Sum', ...rest } = metric;
  return new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
    ...rest,
    statistic,
    alarmDescription,
    threshold: above,
    comparisonOperator: 'GreaterThanThreshold',
    period: 300,
    evaluationPeriods: 1,
    treatMissingData: 'notBreaching',
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
};

/** Returns `BuildSubmit` for `build-submit`. */
const title = (name: string) =>
  name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const ofQueue = (metricName: string, { nodes }: sst.aws.Queue) => ({
  namespace: 'AWS/SQS',
  metricName,
  dimensions: { QueueName: nodes.queue.name },
  statistic: 'Maximum',
});
alarm('DeadLetter', 'A build failed three times; its reason is in the message', ofQueue('ApproximateNumberOfMessagesVisible', deadLetters));
alarm('OldestMessage', 'A build has waited for half an hour', { ...ofQueue('ApproximateAgeOfOldestMessage', queue), above: 1_800 });

for (const [name, { nodes }] of Object.entries({ ...functions, maintenance })) {
  const dimensions = { FunctionName: nodes.function.name };
  alarm(`${title(name)}Errors`, `Function ${name} failed`, { namespace: 'AWS/Lambda', metricName: 'Errors', dimensions });
  alarm(`${title(name)}Throttles`, `Function ${name} was throttled`, { namespace: 'AWS/Lambda', metricName: 'Throttles', dimensions });
}
// These alarms do not use the API's 5xx metric, since the answer for a failed build is 500, as every client expects.
for (const name of Object.keys(functions))
  alarm(
    `${title(name)}UnexpectedErrors`,
    `Function ${name} answered 500 because of an unexpected error: "request failed" in its log has the stack`,
    {
      namespace: metricsNamespace,
      metricName: 'asu_unexpected_errors_total',
      dimensions: { service: name },
    },
  );
for (const [name, table] of Object.entries({ Builds: builds, Statistics: statistics }))
  for (const metricName of ['ReadThrottleEvents', 'WriteThrottleEvents'])
    alarm(`${name}${metricName}`, 'A table was throttled', {
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensions: { TableName: table.name },
    });

/** Makes a metric that counts the lines of a log that match a pattern, and returns it for an alarm. */
const counted = (
  name: string,
  log: { logGroupName: $util.Input<string>; pattern: string },
  options?: ConstructorParameters<typeof aws.cloudwatch.LogMetricFilter>[2],
) => {
  const metric = { namespace: physicalName(name), name: 'Failures' };
  new aws.cloudwatch.LogMetricFilter(
    `${title(name)}Failures`,
    { ...log, name: physicalName(`${name}-failures`), metricTransformation: { ...metric, value: '1', defaultValue: '0' } },
    options,
  );
  return { namespace: metric.namespace, metricName: metric.name };
};
alarm(
  'ApiFailures',
  'The API itself answered 5xx: a function crashed, could not be called or was too slow; the access log has the reason',
  counted('api', { logGroupName: api.nodes.logGroup.name, pattern: API_FAILURE_PATTERN }),
);
alarm('RunnerFailures', 'Runners failed repeatedly', {
  ...counted('runner', { logGroupName: runnerLogGroup, pattern: RUNNER_FAILURE_PATTERN }, { dependsOn: [runner] }),
  above: 3,
});
