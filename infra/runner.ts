import { config } from './config.ts';
import { LEASE_SECONDS } from './lease.ts';
import { cluster } from './network.ts';
import { bucketName, queueUrls, statisticsName, tableName } from './resource-names.ts';
import { executionRole, taskRole } from './runner-role.ts';
import { signingParameters } from './signing-keys.ts';
import { logRetention, metricsNamespace, physicalName } from './stage.ts';

export const runnerLogGroup = `/asu/${physicalName('runner')}`;

const ALIVE_FILE = '/tmp/asu-runner-alive';

/**
 * What SST's containers do not know: two minutes from SIGTERM to the end, as long as Spot gives; root, so that each build can get a
 * uid of its own; and a log without a terminal's line ends.
 */
const patchContainer = (definitions: string): string =>
  JSON.stringify(
    JSON.parse(definitions).map((container: object) => ({
      ...container,
      stopTimeout: 120,
      user: '0',
      pseudoTerminal: false,
      portMappings: [],
    })),
  );

/** Runners on Fargate Spot, one build at a time each; how many is for `scaling.ts` to say. */
export const runner = new sst.aws.Service('Runner', {
  cluster,
  dev: false,
  // ImageBuilder's tools are for Linux on x86_64.
  architecture: 'x86_64',
  cpu: '2 vCPU',
  memory: '4 GB',
  storage: `${20 + Math.ceil(config.IMAGEBUILDER_CACHE_MB / 1024)} GB` as `${number} GB`,
  capacity: 'spot',
  scaling: { min: 0, max: config.MAX_RUNNERS, cpuUtilization: false, memoryUtilization: false },
  image: { context: 'dist/runner', dockerfile: 'Containerfile' },
  // ECS brings its own init.
  entrypoint: ['/usr/local/bin/node', '/opt/asu/main.mjs'],
  environment: {
    METRICS_NAMESPACE: metricsNamespace,
    ...config.service,
    ...bucketName,
    ...tableName,
    ...statisticsName,
    ...queueUrls,
    // Of 4 GB: the rest is the runner's own.
    BUILD_MEMORY_MB: '3072',
    LEASE: String(LEASE_SECONDS),
    ALIVE_FILE,
  },
  ssm: signingParameters,
  logging: { name: runnerLogGroup, retention: logRetention },
  // ECS does not read the image's own.
  health: { command: ['CMD-SHELL', `test -n "$(find ${ALIVE_FILE} -mmin -1)"`], startPeriod: '60 seconds' },
  taskRole: taskRole.name,
  executionRole: executionRole.name,
  transform: {
    taskDefinition: (args) => {
      args.containerDefinitions = $output(args.containerDefinitions).apply(patchContainer);
    },
    service: (args, options) => {
      args.enableExecuteCommand = false;
      // How many there are is for scaling to say, not for the next deployment.
      options.ignoreChanges = ['desiredCount'];
    },
  },
});
