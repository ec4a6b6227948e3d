import { REGION } from '#local-aws/resources/aws-resources.ts';
import { type ServiceDescription, serviceEnvironment, TOPOLOGY } from './topology.ts';

/** The content of `compose.services.yaml` as data: the topology over a LocalStack, in containers. */

const HEALTH = { interval: '30s', timeout: '10s', start_period: '5s', retries: 3 } as const;
const HEALTHY = { condition: 'service_healthy' } as const;
const DONE = { condition: 'service_completed_successfully' } as const;

/** Credentials for LocalStack, which accepts any. For another state they come from the operator's environment. */
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: `\${AWS_ACCESS_KEY_ID:-test}`,
  AWS_SECRET_ACCESS_KEY: `\${AWS_SECRET_ACCESS_KEY:-test}`,
} as const;

const LOCALSTACK_URL = 'http://localstack:4566';

/** The published ports: the public one, and on the loopback interface the two ports in the design documents. */
const GATEWAY_PORTS = [`\${ASU_PORT:-8080}:8080`, '127.0.0.1:8000:8080', '127.0.0.1:8001:8080'];

const image = (target: ServiceDescription['image']) => ({
  image: `asu-${target}`,
  build: { context: '.', dockerfile: 'services/Containerfile', target },
});

export function composeDocument(): object {
  return {
    name: 'asu-services',
    services: {
      localstack: {
        image: 'localstack/localstack:4.14.0',
        environment: {
          SERVICES: 's3,sqs,dynamodb',
          EAGER_SERVICE_LOADING: '1',
          SQS_ENDPOINT_STRATEGY: 'path',
          LOCALSTACK_HOST: 'localstack:4566',
        },
        healthcheck: { test: ['CMD', 'curl', '-sf', 'http://127.0.0.1:4566/_localstack/health'], ...HEALTH },
        restart: 'unless-stopped',
        deploy: { resources: { limits: { cpus: '2.0', memory: '2G' } } },
      },
      resources: {
        ...image('functions'),
        command: ['services/resources-main.ts'],
        environment: { AWS_ENDPOINT_URL: LOCALSTACK_URL, AWS_REGION: REGION, ...CREDENTIALS },
        healthcheck: { disable: true },
        restart: 'on-failure',
        depends_on: { localstack: HEALTHY },
        deploy: { resources: { limits: { cpus: '0.5', memory: '256M' } } },
      },
      ...Object.fromEntries(TOPOLOGY.map((service) => [service.name, composeService(service)])),
    },
  };
}

function composeService(service: ServiceDescription): object {
  const { name, port, limits, needs, state, upstream, stopGraceSeconds } = service;
  const hasState = state.length > 0;
  const urlOf = (other: string) =>
    other === 'localstack' ? LOCALSTACK_URL : `http://${other}:${TOPOLOGY.find((one) => one.name === other)?.port}`;
  const dependsOn = { ...(hasState && { resources: DONE }), ...Object.fromEntries(needs.map((other) => [other, HEALTHY])) };
  return {
    ...image(service.image),
    command: ['services/main.ts', name],
    environment: {
      LOG_LEVEL: `\${LOG_LEVEL:-info}`,
      ...(upstream && { UPSTREAM_URL: `\${UPSTREAM_URL:-https://downloads.openwrt.org}` }),
      ...Object.fromEntries(service.settings.map((setting) => [setting, `\${${setting}:-}`])),
      ...(hasState && CREDENTIALS),
      ...withOtherState(serviceEnvironment(service, urlOf)),
    },
    healthcheck: { test: ['CMD', 'node', 'services/check-health.ts', String(port)], ...HEALTH },
    restart: 'unless-stopped',
    stop_grace_period: `${stopGraceSeconds}s`,
    ...(Object.keys(dependsOn).length > 0 && { depends_on: dependsOn }),
    deploy: { resources: { limits } },
    ...(name === 'gateway' && { ports: GATEWAY_PORTS }),
    ...(name === 'runner' && RUNNER),
  };
}

/**
 * The variables that name the state: LocalStack's, unless the environment names another. An empty endpoint means AWS's
 * own.
 */
const STATE = /^(AWS_|BUILD_TABLE|STATISTICS_TABLE|BUILD_QUEUE_URL|DEAD_LETTER_QUEUE_URL|ARTIFACT_BUCKET|S3_FORCE_PATH_STYLE)/;

const withOtherState = (environment: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      if (!STATE.test(name)) return [name, value];
      return [name, `\${${name}${name === 'AWS_ENDPOINT_URL' ? '-' : ':-'}${value}}`];
    }),
  );

/**
 * The options of the runner's container. It runs as root to give each build its own user, with only these privileges.
 */
const RUNNER = {
  user: '0:0',
  cap_drop: ['ALL'],
  cap_add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETPCAP', 'SETUID'],
};
