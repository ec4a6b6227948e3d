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
 * Adds the options that SST does not offer: two minutes between SIGTERM and SIGKILL, which is the notice that Spot
 * gives; root, so that each build can get its own uid; and a log without the line endings of a terminal.
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

/** The runners on Fargate Spot. Each builds one image at a time, and `scaling.ts` sets their number. */
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
  // ECS has an init process, so the image's is not needed.
  entrypoint: ['/usr/local/bin/node', '/opt/asu/main.mjs'],
  environment: {
    METRICS_NAMESPACE: metricsNamespace,
    ...config.service,
    ...bucketName,
    ...tableName,
    ...statisticsName,
    ...queueUrls,
    // The task has 4 GB; the remainder is for the runner itself.
    BUILD_MEMORY_MB: '3072',
    LEASE: String(LEASE_SECONDS),
    ALIVE_FILE,
  },
  ssm: signingParameters,
  logging: { name: runnerLogGroup, retention: logRetention },
  // ECS ignores the health check of the image.
  health: { command: ['CMD-SHELL', `test -n "$(find ${ALIVE_FILE} -mmin -1)"`], startPeriod: '60 seconds' },
  taskRole: taskRole.name,
  executionRole: executionRole.name,
  transform: {
    taskDefinition: (args) => {
      args.containerDefinitions = $output(args.containerDefinitions).apply(patchContainer);
    },
    service: (args, options) => {
      args.enableExecuteCommand = false;
      // Scaling sets the number of runners, and a deployment must not reset it.
      options.ignoreChanges = ['desiredCount'];
    },
  },
});
