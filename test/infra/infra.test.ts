import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { BUILD_QUEUE, BUILD_TABLE, STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import { loadConfig as buildSubmitConfig } from '#functions/build-submit/config.ts';
import { loadConfig as catalogueConfig } from '#functions/catalogue/config.ts';
import { loadConfig as docsConfig } from '#functions/docs/config.ts';
import { FUNCTION_NAMES } from '#functions/function-name.ts';
import { loadConfig as maintenanceConfig } from '#functions/maintenance/config.ts';
import { loadConfig as prepareConfig } from '#functions/prepare/config.ts';
import { loadConfig as statsConfig } from '#functions/stats/config.ts';
import { loadConfig as statusConfig } from '#functions/status/config.ts';
import { loadConfig as storeConfig } from '#functions/store/config.ts';
import { httpApp, routes } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { jsonLog } from '#observe/log.ts';
import { loadConfig as runnerConfig } from '#runner/config.ts';
import { generateUsignKey } from '#runner/signing/usign.ts';
import { ROOT } from '../../bundles/esbuild-options.ts';
import { API_FAILURE_PATTERN } from '../../infra/api-failures.ts';
import { LEASE_SECONDS } from '../../infra/lease.ts';
import { RUNNER_FAILURE_PATTERN } from '../../infra/runner-failures.ts';
import { mockedDeployment, type Resource } from './mocked-deployment.ts';

const KEY = generateUsignKey('test');

let production: Resource[];
let development: Resource[];

beforeAll(async () => {
  production = await mockedDeployment('production', {
    DOMAIN: 'asu.example.org',
    ALARM_EMAIL: 'operator@example.org',
    MAX_RUNNERS: '25',
    SST_SECRET_SigningSecret: KEY.secret,
  });
  development = await mockedDeployment('dev');
});

const all = (type: string, from = production) => from.filter((resource) => resource.type === type);

/** Returns the one resource of a type and name. */
function one(type: string, name: string, from = production): Resource['inputs'] {
  const found = all(type, from).filter((resource) => resource.name === name);
  // Pulumi's mocks also record each lookup as a resource of this name, with hardly any inputs.
  const [best] = found.sort((a, b) => JSON.stringify(b.inputs).length - JSON.stringify(a.inputs).length);
  if (best === undefined) throw new Error(`no ${type} ${name}`);
  return best.inputs;
}

const TITLES = ['Prepare', 'BuildSubmit', 'Status', 'Catalogue', 'Stats', 'Store', 'Docs', 'Maintenance'] as const;
const lambda = (title: string, from = production) => one('aws:lambda/function:Function', `${title}Function`, from);
const environmentOf = (title: string): Record<string, string> => lambda(title).environment.variables;
const definition = (from = production) =>
  JSON.parse(one('aws:ecs/taskDefinition:TaskDefinition', 'RunnerTask', from).containerDefinitions.value)[0];

/** Returns the statements of a role as `action resource`, without the common beginning of ARNs. */
function statementsOf(role: string): string[] {
  const { inlinePolicies } = one('aws:iam/role:Role', role);
  const statements = inlinePolicies.flatMap(({ policy }: { policy: string }) => JSON.parse(policy));
  return statements
    .flatMap(({ actions, resources, effect = 'Allow' }: { actions: string[]; resources: string[]; effect?: string }) => {
      expect(effect).toBe('Allow');
      return actions.flatMap((action) => resources.map((resource) => `${action} ${resource.replace(/^arn:aws:[a-z0-9]+:[^:]*:\d*:/, '')}`));
    })
    .sort();
}

const BUCKET = 'Bucket/ArtifactsBucket';
const TABLE = 'Table/BuildsTable';
const INDEX = `${TABLE}/index/${BUILD_TABLE.sweepIndex.name}`;
const QUEUE = 'Queue/QueueQueue';
const DEAD = 'Queue/DeadLettersQueue';
const put = (...prefixes: string[]) =>
  prefixes.flatMap((prefix) => [`s3:AbortMultipartUpload ${BUCKET}/${prefix}*`, `s3:PutObject ${BUCKET}/${prefix}*`]);
const remove = (...prefixes: string[]) => prefixes.map((prefix) => `s3:DeleteObject ${BUCKET}/${prefix}*`);
const get = (...prefixes: string[]) => prefixes.map((prefix) => `s3:GetObject ${BUCKET}/${prefix}*`);
const COUNTS = 'Table/StatisticsTable';
const COUNT = [`dynamodb:DeleteItem ${COUNTS}`, `dynamodb:GetItem ${COUNTS}`, `dynamodb:UpdateItem ${COUNTS}`];
const LIST = `s3:ListBucket ${BUCKET}`;
const READ_ROWS = [`dynamodb:GetItem ${TABLE}`, `dynamodb:Query ${TABLE}`];
const WRITE_ROWS = [`dynamodb:DeleteItem ${TABLE}`, `dynamodb:PutItem ${TABLE}`, `dynamodb:UpdateItem ${TABLE}`];
const SEND = [`sqs:GetQueueAttributes ${QUEUE}`, `sqs:SendMessage ${QUEUE}`];

describe('types', () => {
  it('of sst.config.ts and infra/ are correct', async () => {
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    await expect(promisify(execFile)(tsc, ['--noEmit', '-p', 'infra/tsconfig.json'], { cwd: ROOT })).resolves.toMatchObject({ stdout: '' });
  });
});

describe('roles', () => {
  const READS_DOCUMENTS = get('records/', 'api/v1/build/', 'logs/');
  it.each([
    ['PrepareRole', []],
    ['StoreRole', []],
    ['DocsRole', []],
    ['CatalogueRole', [LIST, ...get('records/'), ...put('records/')]],
    [
      'StatsRole',
      [
        ...READ_ROWS,
        `dynamodb:Query ${INDEX}`,
        `dynamodb:GetItem ${COUNTS}`,
        `dynamodb:Query ${COUNTS}`,
        LIST,
        ...get('records/'),
        ...put('records/'),
      ],
    ],
    ['StatusRole', [...READ_ROWS, LIST, ...READS_DOCUMENTS, ...put('api/v1/build/')]],
    [
      'BuildSubmitRole',
      [
        ...READ_ROWS,
        ...WRITE_ROWS,
        ...COUNT,
        ...SEND,
        LIST,
        ...READS_DOCUMENTS,
        ...put('records/', 'api/v1/build/'),
        ...remove('api/v1/build/', 'logs/'),
      ],
    ],
    [
      'MaintenanceRole',
      [
        ...READ_ROWS,
        ...WRITE_ROWS,
        `dynamodb:BatchGetItem ${TABLE}`,
        `dynamodb:Query ${INDEX}`,
        ...COUNT,
        `dynamodb:PutItem ${COUNTS}`,
        `dynamodb:Query ${COUNTS}`,
        ...SEND,
        LIST,
        ...get('records/', 'json/v1/', 'api/v1/build/'),
        ...put('records/', 'json/v1/'),
        ...remove('store/', 'logs/', 'api/v1/build/'),
      ],
    ],
    [
      'RunnerTaskRole',
      [
        ...['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'].map((action) => `sqs:${action} ${QUEUE}`),
        `sqs:SendMessage ${DEAD}`,
        ...READ_ROWS,
        `dynamodb:UpdateItem ${TABLE}`,
        ...COUNT,
        ...put('store/', 'api/v1/build/', 'logs/', 'records/imagebuilders/'),
        ...get('records/imagebuilders/'),
        'ecs:GetTaskProtection Cluster/ClusterCluster/*',
        'ecs:UpdateTaskProtection Cluster/ClusterCluster/*',
      ],
    ],
    ['RunnerExecutionRole', ['SigningSecretParameter', 'ApkSigningSecretParameter'].map((name) => `ssm:GetParameters Parameter/${name}`)],
    ['MaintenanceScheduleRole', ['lambda:InvokeFunction Function/MaintenanceFunction']],
  ])('%s may make only these calls', (role, statements: string[]) => {
    expect(statementsOf(role)).toEqual([...statements].sort());
  });

  it('are all listed above, and only services can assume them', () => {
    const names = new Set(all('aws:iam/role:Role').map(({ name }) => name));
    expect([...names].sort()).toEqual(
      [...TITLES.map((title) => `${title}Role`), 'MaintenanceScheduleRole', 'RunnerExecutionRole', 'RunnerTaskRole'].sort(),
    );
    for (const name of names) expect(JSON.stringify(one('aws:iam/role:Role', name).assumeRolePolicy)).not.toMatch(/:root|"AWS"/);
  });

  it('have only the AWS policies for writing logs and starting tasks', () => {
    for (const { name, inputs } of all('aws:iam/role:Role'))
      for (const arn of inputs.managedPolicyArns ?? [])
        expect(arn).toBe(
          `arn:aws:iam::aws:policy/service-role/${name === 'RunnerExecutionRole' ? 'AmazonECSTaskExecutionRolePolicy' : 'AWSLambdaBasicExecutionRole'}`,
        );
  });
});

describe('functions', () => {
  it('are the bundled ones, on arm64 and Node 24', () => {
    expect(
      all('sst:aws:Function')
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...TITLES].sort());
    expect(TITLES.length).toBe(FUNCTION_NAMES.length);
    for (const title of TITLES)
      expect(lambda(title)).toMatchObject({ architectures: ['arm64'], runtime: 'nodejs24.x', handler: 'handler.handler' });
  });

  it.each([
    ['Prepare', prepareConfig],
    ['BuildSubmit', buildSubmitConfig],
    ['Status', statusConfig],
    ['Catalogue', catalogueConfig],
    ['Stats', statsConfig],
    ['Store', storeConfig],
    ['Docs', docsConfig],
    ['Maintenance', maintenanceConfig],
  ])('%s gets every setting that it needs', (title, loadConfig: (env: NodeJS.ProcessEnv) => unknown) => {
    expect(loadConfig(environmentOf(title))).toBeDefined();
  });

  it('get no names of resources that they may not use', () => {
    for (const title of ['Prepare', 'Store', 'Docs'])
      expect(Object.keys(environmentOf(title)).filter((name) => /TABLE|QUEUE|BUCKET/.test(name))).toEqual([]);
  });

  it('serve the public half of the signing key', () => {
    expect(environmentOf('Store')['SIGNING_KEY']?.trim().split('\n').at(-1)).toBe(KEY.public.trim().split('\n').at(-1));
    expect(JSON.stringify(TITLES.map(environmentOf))).not.toContain(KEY.secret.trim().split('\n').at(-1));
  });

  it('are behind one API, by path, and answer CORS and unknown paths themselves', () => {
    const integrations = new Map(
      all('aws:apigatewayv2/integration:Integration').map(({ name, inputs }) => [
        `integrations/${name}-id`,
        inputs.integrationUri.split('/').at(-1),
      ]),
    );
    const routes = all('aws:apigatewayv2/route:Route').map(({ inputs }) => [inputs.routeKey, integrations.get(inputs.target)]);
    expect(Object.fromEntries(routes)).toEqual({
      'ANY /api/v1/build': 'BuildSubmitFunction',
      'ANY /api/v1/build/prepare': 'BuildSubmitFunction',
      'ANY /api/v1/build/{hash}': 'StatusFunction',
      'ANY /api/v1/build/{hash}/{proxy+}': 'StatusFunction',
      'ANY /store/{proxy+}': 'StatusFunction',
      'ANY /api/v1/prepare': 'PrepareFunction',
      'ANY /apply': 'PrepareFunction',
      'ANY /api/v1/openapi.json': 'DocsFunction',
      'ANY /api/v1/docs': 'DocsFunction',
      'ANY /api/v1/docs/{proxy+}': 'DocsFunction',
      'ANY /api/v1/redoc': 'DocsFunction',
      'ANY /openapi.json': 'DocsFunction',
      'ANY /docs': 'DocsFunction',
      'ANY /redoc': 'DocsFunction',
      'ANY /health': 'StoreFunction',
      'ANY /ready': 'BuildSubmitFunction',
      'ANY /json/v1/{proxy+}': 'CatalogueFunction',
      'ANY /api/v1/revision/{proxy+}': 'CatalogueFunction',
      'ANY /api/v1/latest': 'CatalogueFunction',
      'ANY /api/v1/overview': 'CatalogueFunction',
      'ANY /api/overview': 'CatalogueFunction',
      'ANY /overview': 'CatalogueFunction',
      'ANY /': 'StatsFunction',
      'ANY /stats': 'StatsFunction',
      'ANY /api/v1/stats': 'StatsFunction',
      'ANY /api/v1/stats/{proxy+}': 'StatsFunction',
      'ANY /api/v1/builds-per-day': 'StatsFunction',
      'ANY /api/v1/builds-by-version': 'StatsFunction',
      'ANY /api/v1/top-packages': 'StatsFunction',
      'ANY /api/v1/build-errors': 'StatsFunction',
      $default: 'StoreFunction',
    });
    expect(one('aws:apigatewayv2/api:Api', 'ApiApi').corsConfiguration).toEqual({});
  });
});

describe('state', () => {
  it('has the table that the adapters use, with point-in-time recovery', () => {
    expect(one('aws:dynamodb/table:Table', 'BuildsTable')).toMatchObject({
      billingMode: 'PAY_PER_REQUEST',
      hashKey: BUILD_TABLE.hashKey,
      rangeKey: BUILD_TABLE.rangeKey,
      attributes: Object.entries(BUILD_TABLE.keyTypes).map(([name, type]) => ({ name, type })),
      globalSecondaryIndexes: [
        { name: BUILD_TABLE.sweepIndex.name, projectionType: 'INCLUDE', nonKeyAttributes: [...BUILD_TABLE.sweepIndex.projection] },
      ],
      ttl: { attributeName: BUILD_TABLE.ttlAttribute, enabled: true },
      pointInTimeRecovery: { enabled: true },
    });
  });

  it('has a separate table for statistics', () => {
    expect(one('aws:dynamodb/table:Table', 'StatisticsTable')).toMatchObject({
      hashKey: STATISTICS_TABLE.hashKey,
      rangeKey: STATISTICS_TABLE.rangeKey,
      attributes: Object.entries(STATISTICS_TABLE.keyTypes).map(([name, type]) => ({ name, type })),
      globalSecondaryIndexes: [],
      ttl: { attributeName: STATISTICS_TABLE.ttlAttribute, enabled: true },
      pointInTimeRecovery: { enabled: true },
    });
  });

  it('has a queue that gives up after ten deliveries', () => {
    const { redrivePolicy, ...queue } = one('aws:sqs/queue:Queue', 'QueueQueue');
    expect(JSON.parse(redrivePolicy)).toMatchObject({
      maxReceiveCount: BUILD_QUEUE.maxReceiveCount,
      deadLetterTargetArn: expect.stringContaining('DeadLetters'),
    });
    expect(queue).toMatchObject({ visibilityTimeoutSeconds: BUILD_QUEUE.visibilityTimeoutSeconds, fifoQueue: false });
  });

  it('has a bucket in which only this account’s CloudFront reads, and only public objects', () => {
    expect(one('aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock', 'ArtifactsPublicAccessBlock')).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const statements = JSON.parse(one('aws:s3/bucketPolicy:BucketPolicy', 'ArtifactsPolicy').policy);
    const allowed = statements.filter(({ effect = 'Allow' }) => effect === 'Allow');
    expect(allowed).toEqual([
      {
        actions: ['s3:GetObject'],
        principals: [{ type: 'Service', identifiers: ['cloudfront.amazonaws.com'] }],
        conditions: [{ test: 'StringLike', variable: 'aws:SourceArn', values: ['arn:aws:cloudfront::111122223333:distribution/*'] }],
        resources: ['store/*', 'api/v1/build/*', 'json/v1/*'].map((path) =>
          expect.stringMatching(new RegExp(`/${path.replace('*', '\\*')}$`)),
        ),
      },
    ]);
    expect(all('aws:s3/bucketCorsConfiguration:BucketCorsConfiguration')).toEqual([]);
  });

  it('has lifecycle rules as a backstop, a week after every object should have expired', () => {
    const { rules } = one('aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration', 'ArtifactsLifecycle');
    const days = rules.map(({ filter, expiration, abortIncompleteMultipartUpload }: Resource['inputs']) => [
      filter.prefix,
      expiration?.days ?? abortIncompleteMultipartUpload.daysAfterInitiation,
    ]);
    expect(days).toEqual([
      ['store/', 14],
      ['api/v1/build/', 14],
      ['logs/', 14],
      ['', 1],
    ]);
  });
});

describe('the distribution', () => {
  const distribution = () => one('aws:cloudfront/distribution:Distribution', 'RouterDistribution');

  it('allows every method everywhere, with the API as origin and both viewer functions', () => {
    const { defaultCacheBehavior, orderedCacheBehaviors, originGroups } = distribution();
    expect(orderedCacheBehaviors.map(({ pathPattern }: { pathPattern: string }) => pathPattern)).toEqual(['/api/v1/build*', '/store/*']);
    for (const behaviour of [defaultCacheBehavior, ...orderedCacheBehaviors]) {
      expect(behaviour.targetOriginId).toBe('api');
      expect([...behaviour.allowedMethods].sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
      expect(behaviour.functionAssociations).toEqual(
        ['Request', 'Response'].map((side) => ({
          eventType: `viewer-${side.toLowerCase()}`,
          functionArn: expect.stringMatching(new RegExp(`/Viewer${side}$`)),
        })),
      );
    }
    expect(originGroups).toBeUndefined();
    expect(orderedCacheBehaviors.every(({ compress }: { compress: boolean }) => !compress)).toBe(true);
  });

  it('has the origins that the viewer-request function names, with origin access control for the bucket', async () => {
    const { origins } = distribution();
    expect(origins.map(({ originId }: { originId: string }) => originId)).toEqual(['bucket', 'api']);
    expect(origins[0].originAccessControlId).toBe('BucketAccess-id');
    expect(one('aws:cloudfront/originAccessControl:OriginAccessControl', 'BucketAccess')).toMatchObject({ signingBehavior: 'always' });
    expect(origins[1].domainName).toBe('apiapi.execute-api.eu-central-1.amazonaws.com');
    const source = await readFile(join(ROOT, 'infra', 'edge', 'viewer-request.js'), 'utf8');
    expect(one('aws:cloudfront/function:Function', 'ViewerRequest')).toMatchObject({ runtime: 'cloudfront-js-2.0', code: source });
  });

  it('caches no errors, and answers only as long as their headers allow', () => {
    const { customErrorResponses } = distribution();
    expect(customErrorResponses.length).toBe(11);
    for (const { errorCachingMinTtl } of customErrorResponses) expect(errorCachingMinTtl).toBe(0);
    for (const { inputs } of all('aws:cloudfront/cachePolicy:CachePolicy')) expect(inputs).toMatchObject({ minTtl: 0, defaultTtl: 0 });
  });

  it('has the custom domain of the settings, or none', () => {
    expect(distribution().aliases).toEqual(['asu.example.org']);
    expect(one('aws:cloudfront/distribution:Distribution', 'RouterDistribution', development).aliases).toEqual([]);
  });
});

describe('the runner', () => {
  it('gets every setting that it needs, and its keys from secrets', () => {
    const { environment, secrets } = definition();
    const env = Object.fromEntries(environment.map(({ name, value }: { name: string; value: string }) => [name, value]));
    const config = runnerConfig({ ...env, SIGNING_SECRET: KEY.secret, APK_SIGNING_SECRET: 'none' });
    expect(config.WORKER_CONCURRENT).toBe(1);
    expect(secrets.map(({ name }: { name: string }) => name)).toEqual(['SIGNING_SECRET', 'APK_SIGNING_SECRET']);
    expect(JSON.stringify(environment)).not.toContain(KEY.secret.trim().split('\n').at(-1));
  });

  it('has two minutes to hand its build back, root to give each build a uid, a health check and no open port', () => {
    expect(definition()).toMatchObject({
      stopTimeout: 120,
      user: '0',
      portMappings: [],
      entrypoint: ['/usr/local/bin/node', '/opt/asu/main.mjs'],
    });
    expect(definition().healthCheck.command[1]).toContain('/tmp/asu-runner-alive');
    expect(one('aws:ec2/defaultSecurityGroup:DefaultSecurityGroup', 'NetworkSecurityGroup')).toMatchObject({
      ingress: [],
      egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443 }],
    });
  });

  it('has a lease that needs few renewals and that the queue accepts as a visibility timeout', () => {
    const environment = Object.fromEntries(definition().environment.map(({ name, value }: Record<string, string>) => [name, value]));
    expect(runnerConfig(environment).LEASE).toBe(LEASE_SECONDS);
    expect(LEASE_SECONDS).toBeLessThanOrEqual(43_200);
  });

  it('is on Fargate Spot, x86_64, without a shell', () => {
    expect(one('aws:ecs/taskDefinition:TaskDefinition', 'RunnerTask').runtimePlatform).toEqual({
      cpuArchitecture: 'X86_64',
      operatingSystemFamily: 'LINUX',
    });
    const service = one('aws:ecs/service:Service', 'RunnerService');
    expect(service).toMatchObject({ desiredCount: 0, enableExecuteCommand: false });
    expect(service.capacityProviderStrategies).toEqual([
      { capacityProvider: 'FARGATE', weight: 0 },
      { capacityProvider: 'FARGATE_SPOT', weight: 1 },
    ]);
  });

  it('has disk space for its caches besides twenty gigabytes for builds', () => {
    expect(one('aws:ecs/taskDefinition:TaskDefinition', 'RunnerTask').ephemeralStorage).toEqual({ sizeInGib: 50 });
  });

  it('scales from none to the maximum by the number of queued and running builds', () => {
    expect(one('aws:appautoscaling/target:Target', 'RunnerAutoScalingTarget')).toMatchObject({ minCapacity: 0, maxCapacity: 25 });
    const steps = one('aws:appautoscaling/policy:Policy', 'ScaleToBacklog').stepScalingPolicyConfiguration.stepAdjustments;
    expect(steps[0]).toEqual({ metricIntervalLowerBound: '0', metricIntervalUpperBound: '1', scalingAdjustment: 1 });
    expect(steps.at(-1).scalingAdjustment).toBe(25);
    const busy = one('aws:cloudwatch/metricAlarm:MetricAlarm', 'Busy');
    expect(busy).toMatchObject({ threshold: 1, comparisonOperator: 'GreaterThanOrEqualToThreshold', datapointsToAlarm: 1 });
    expect(busy.metricQueries.map(({ metric, expression }: Resource['inputs']) => metric?.metricName ?? expression)).toEqual([
      'FILL(waiting, 0) + FILL(building, 0)',
      'ApproximateNumberOfMessagesVisible',
      'ApproximateNumberOfMessagesNotVisible',
    ]);
    expect(busy.alarmActions).toEqual([expect.stringContaining('ScaleToBacklog')]);
    expect(one('aws:cloudwatch/metricAlarm:MetricAlarm', 'Idle').alarmActions).toEqual([expect.stringContaining('ScaleToZero')]);
    expect(all('aws:appautoscaling/policy:Policy')).toHaveLength(2);
  });
});

describe('operation', () => {
  it('runs maintenance every minute, without retries', () => {
    expect(one('aws:scheduler/schedule:Schedule', 'MaintenanceScheduleSchedule')).toMatchObject({
      scheduleExpression: 'rate(1 minute)',
      state: 'ENABLED',
      target: { arn: expect.stringContaining('MaintenanceFunction') },
    });
    expect(one('aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig', 'MaintenanceEventInvokeConfig').maximumRetryAttempts).toBe(
      0,
    );
  });

  it('has alarms that notify the operator', () => {
    const names = all('aws:cloudwatch/metricAlarm:MetricAlarm').map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'DeadLetterAlarm',
        'OldestMessageAlarm',
        'ApiFailuresAlarm',
        'RunnerFailuresAlarm',
        ...['Builds', 'Statistics'].flatMap((name) => [`${name}ReadThrottleEventsAlarm`, `${name}WriteThrottleEventsAlarm`]),
        ...TITLES.flatMap((title) => [`${title}ErrorsAlarm`, `${title}ThrottlesAlarm`]),
        ...TITLES.filter((title) => title !== 'Maintenance').map((title) => `${title}UnexpectedErrorsAlarm`),
      ]),
    );
    for (const { name, inputs } of all('aws:cloudwatch/metricAlarm:MetricAlarm'))
      if (name.endsWith('Alarm')) expect(inputs.alarmActions).toEqual([expect.stringContaining('AlarmsTopic')]);
    expect(one('aws:sns/topicSubscription:TopicSubscription', 'AlarmEmail').endpoint).toBe('operator@example.org');
    expect(all('aws:sns/topicSubscription:TopicSubscription', development)).toEqual([]);
  });

  it('has alarms only on existing metrics of AWS and on our own', () => {
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html, November 2026.
    const measured: Readonly<Record<string, readonly string[]>> = {
      'AWS/SQS QueueName': ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
      'AWS/Lambda FunctionName': ['Errors', 'Throttles'],
      'AWS/DynamoDB TableName': ['ReadThrottleEvents', 'WriteThrottleEvents'],
    };
    const counted = all('aws:cloudwatch/logMetricFilter:LogMetricFilter').map(({ inputs: { metricTransformation: ours } }) =>
      JSON.stringify([ours.namespace, ours.name, ours.dimensions]),
    );
    const alarms = all('aws:cloudwatch/metricAlarm:MetricAlarm').filter(({ name }) => name.endsWith('Alarm'));
    for (const { name, inputs } of alarms.filter((alarm) => !alarm.name.endsWith('UnexpectedErrorsAlarm'))) {
      const { namespace, metricName, dimensions } = inputs;
      if (/^(Api|Runner)FailuresAlarm$/.test(name)) expect(counted).toContain(JSON.stringify([namespace, metricName, dimensions]));
      else {
        expect([name, measured[`${namespace} ${Object.keys(dimensions)}`]]).toEqual([name, expect.arrayContaining([metricName])]);
        expect(Object.values(dimensions)).toEqual([expect.stringMatching(/./)]);
      }
    }
  });

  it.each(FUNCTION_NAMES.filter((name) => name !== 'maintenance'))(
    'has an alarm for unexpected errors of %s, and for no other answer',
    async (name) => {
      const title = name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
      const { namespace, metricName, dimensions, threshold, statistic } = one(
        'aws:cloudwatch/metricAlarm:MetricAlarm',
        `${title}UnexpectedErrorsAlarm`,
      );
      expect([statistic, threshold]).toEqual(['Sum', 0]);
      const source = await readFile(join(ROOT, 'functions', name, 'handler.ts'), 'utf8');
      expect(source).toContain(`emfMetrics({ service: '${name}', namespace: config.METRICS_NAMESPACE })`);

      /** Returns the values that one request adds to the alarm's metric. */
      const counted = async (answer: () => Response): Promise<number> => {
        const lines: Resource['inputs'][] = [];
        const { onAnswered } = emfMetrics({
          service: name,
          namespace: environmentOf(title)['METRICS_NAMESPACE'] ?? '',
          write: (line) => lines.push(JSON.parse(line)),
        });
        await httpApp({ log: jsonLog('silent', () => undefined), onAnswered }, routes().get('/', answer)).request('/');
        const fits = lines.filter((line) =>
          line._aws.CloudWatchMetrics.some(
            ({ Namespace, Dimensions, Metrics }: Resource['inputs']) =>
              Namespace === namespace &&
              Metrics.some(({ Name }: { Name: string }) => Name === metricName) &&
              isDeepStrictEqual(Dimensions, [Object.keys(dimensions)]) &&
              Object.entries(dimensions).every(([dimension, value]) => line[dimension] === value),
          ),
        );
        expect(fits.length).toBe(1);
        return fits[0][metricName];
      };
      const thrown = (error: Error) => () => {
        throw error;
      };
      expect(await counted(thrown(new TypeError('a bug')))).toBe(1);
      expect(await counted(() => new Response('{"detail":"Error: build failed"}', { status: 500 }))).toBe(0);
      expect(await counted(thrown(new UpstreamUnavailableError('the catalogue', 'no answer')))).toBe(0);
    },
  );

  it('has as many alarm metrics as the costs in docs/aws.md assume', async () => {
    const alarms = all('aws:cloudwatch/metricAlarm:MetricAlarm');
    const metrics = alarms.flatMap(({ inputs }) => inputs.metricQueries?.filter(({ metric }: Resource['inputs']) => metric) ?? [inputs]);
    expect(await readFile(join(ROOT, 'docs', 'aws.md'), 'utf8')).toContain(`alarms: ${metrics.length} metrics at $0.10`);
  });

  it('counts failures in the logs that the runner and the API write', () => {
    const filter = (name: string) => one('aws:cloudwatch/logMetricFilter:LogMetricFilter', name);
    expect(filter('RunnerFailures')).toMatchObject({
      logGroupName: definition().logConfiguration.options['awslogs-group'],
      pattern: RUNNER_FAILURE_PATTERN,
    });
    const { destinationArn } = one('aws:apigatewayv2/stage:Stage', 'ApiStage').accessLogSettings;
    const [group] = all('aws:cloudwatch/logGroup:LogGroup').filter(({ name }) => destinationArn.endsWith(`/${name}`));
    expect(filter('ApiFailures')).toMatchObject({ logGroupName: group?.inputs.name, pattern: API_FAILURE_PATTERN });
    expect(all('aws:cloudwatch/logMetricFilter:LogMetricFilter').length).toBe(2);
  });

  it('keeps logs for a limited time', () => {
    const groups = all('aws:cloudwatch/logGroup:LogGroup');
    expect(groups.length).toBe(TITLES.length + 2);
    for (const { inputs } of groups) expect(inputs.retentionInDays).toBe(30);
    for (const { inputs } of all('aws:cloudwatch/logGroup:LogGroup', development)) expect(inputs.retentionInDays).toBe(7);
  });

  it('logs the route of a request to the API, and not its path, which may name a private build', () => {
    const { destinationArn, format } = one('aws:apigatewayv2/stage:Stage', 'ApiStage').accessLogSettings;
    expect(destinationArn).toMatch(/log-?group/i);
    expect(JSON.parse(format)).toMatchObject({ routeKey: '$context.routeKey', status: '$context.status' });
    expect(format).not.toMatch(/path|uri/i);
  });

  it('protects the data of production, and removes other stages completely', () => {
    expect(one('app', 'production')).toMatchObject({ name: 'asu', removal: 'retain', protect: true });
    expect(one('app', 'dev', development)).toMatchObject({ removal: 'remove', protect: false });
    for (const [from, isKept] of [
      [production, true],
      [development, false],
    ] as const) {
      expect(one('aws:dynamodb/table:Table', 'BuildsTable', from).deletionProtectionEnabled).toBe(isKept);
      expect(one('aws:s3/bucket:Bucket', 'ArtifactsBucket', from).forceDestroy).toBe(!isKept);
    }
  });

  it('has a configuration of at most forty lines', async () => {
    expect((await readFile(join(ROOT, 'sst.config.ts'), 'utf8')).split('\n').length).toBeLessThanOrEqual(40);
  });
});
