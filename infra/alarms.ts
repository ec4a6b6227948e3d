import { api } from './api.ts';
import { config } from './config.ts';
import { buildSubmit } from './functions/build-submit.ts';
import { catalogue } from './functions/catalogue.ts';
import { docs } from './functions/docs.ts';
import { prepare } from './functions/prepare.ts';
import { stats } from './functions/stats.ts';
import { status } from './functions/status.ts';
import { store } from './functions/store.ts';
import { maintenance } from './maintenance.ts';
import { deadLetters, queue } from './queue.ts';
import { runner, runnerLogGroup } from './runner.ts';
import { RUNNER_FAILURE_PATTERN } from './runner-failures.ts';
import { physicalName } from './stage.ts';
import { builds, statistics } from './table.ts';

const topic = new sst.aws.SnsTopic('Alarms');
if (config.ALARM_EMAIL !== undefined)
  new aws.sns.TopicSubscription('AlarmEmail', { topic: topic.arn, protocol: 'email', endpoint: config.ALARM_EMAIL });

/** Raised when the metric's sum (or the statistic named) over five minutes is more than `above`. */
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

const ofQueue = (metricName: string, { nodes }: sst.aws.Queue) => ({
  namespace: 'AWS/SQS',
  metricName,
  dimensions: { QueueName: nodes.queue.name },
  statistic: 'Maximum',
});
alarm('DeadLetter', 'A build failed three times; its reason is in the message', ofQueue('ApproximateNumberOfMessagesVisible', deadLetters));
alarm('OldestMessage', 'A build has waited for half an hour', { ...ofQueue('ApproximateAgeOfOldestMessage', queue), above: 1_800 });

for (const [name, { nodes }] of Object.entries({ prepare, buildSubmit, status, catalogue, stats, store, docs, maintenance })) {
  const dimensions = { FunctionName: nodes.function.name };
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  alarm(`${title}Errors`, `Function ${name} failed`, { namespace: 'AWS/Lambda', metricName: 'Errors', dimensions });
  alarm(`${title}Throttles`, `Function ${name} was throttled`, { namespace: 'AWS/Lambda', metricName: 'Throttles', dimensions });
}
alarm('ApiErrors', 'The API answered 5xx', { namespace: 'AWS/ApiGateway', metricName: '5xx', dimensions: { ApiId: api.nodes.api.id } });
for (const [name, table] of Object.entries({ Builds: builds, Statistics: statistics }))
  for (const metricName of ['ReadThrottleEvents', 'WriteThrottleEvents'])
    alarm(`${name}${metricName}`, 'A table was throttled', {
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensions: { TableName: table.name },
    });

const runnerFailures = { namespace: physicalName('runner'), name: 'Failures' };
new aws.cloudwatch.LogMetricFilter(
  'RunnerFailures',
  {
    name: physicalName('runner-failures'),
    logGroupName: runnerLogGroup,
    pattern: RUNNER_FAILURE_PATTERN,
    metricTransformation: { ...runnerFailures, value: '1', defaultValue: '0' },
  },
  { dependsOn: [runner] },
);
alarm('RunnerFailures', 'Runners failed, again and again', {
  namespace: runnerFailures.namespace,
  metricName: runnerFailures.name,
  above: 3,
});
