import { DEVELOPMENT_NAMES, type ResourceKind, type ResourceNames, resourceEnvironment } from '#local-aws/resources/aws-resources.ts';
import { givenIn } from '#settings/read-settings.ts';

/**
 * The one description of the services and how they depend on each other. `npm run services` starts it as processes, and
 * a test holds `compose.services.yaml` to it.
 */

export const SERVICE_NAMES = ['gateway', 'build', 'prepare', 'status', 'catalogue', 'stats', 'maintenance', 'runner'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The address of another service or of LocalStack, as a service sees it. */
export type UrlOf = (name: ServiceName | 'localstack') => string;

export interface ServiceDescription {
  readonly name: ServiceName;
  readonly port: number;
  /** The container image. `builder` contains the tools that ImageBuilder needs. */
  readonly image: 'functions' | 'builder';
  /** Whether any number of instances may run at once. */
  readonly scales: boolean;
  /** The resources that the service uses. */
  readonly state: readonly ResourceKind[];
  /** Settings that one environment gives to every service that has them. An empty one counts as not set. */
  readonly settings: readonly string[];
  /** Whether the service reads upstream. */
  readonly upstream: boolean;
  readonly limits: { readonly cpus: string; readonly memory: string };
  /** The part of `memory` that JavaScript may take: without a limit, Node takes all it can get. */
  readonly heapMb: number;
  readonly stopGraceSeconds: number;
  /** The services that must be healthy before this one starts. */
  readonly needs: readonly ServiceName[];
  /** The services whose addresses this one gets, as `<NAME>_SERVICE_URL`. */
  readonly asks: readonly ServiceName[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Policy on which all services that take build requests have to agree. */
const POLICY = ['ALLOW_DEFAULTS', 'BRANCHES', 'MAX_CUSTOM_ROOTFS_SIZE_MB', 'MAX_DEFAULTS_LENGTH', 'REPOSITORY_ALLOW_LIST'];
/** The proxies of the services that read upstream. */
const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
const LIFETIMES = ['BUILD_DEFAULTS_TTL', 'BUILD_FAILURE_TTL', 'BUILD_TTL', 'BUILD_TTL_UNVERSIONED'];

const small = { image: 'functions', scales: true, stopGraceSeconds: 10, needs: [], asks: [] } as const;

export const TOPOLOGY: readonly ServiceDescription[] = [
  {
    ...small,
    name: 'gateway',
    port: 8080,
    // The gateway has the public port, of which there is only one.
    scales: false,
    state: [],
    settings: [
      'MAX_DEFAULTS_LENGTH',
      'MAX_PENDING_JOBS',
      'MAX_PENDING_PER_CLIENT',
      'RATE_LIMIT_BUILDS_BURST',
      'RATE_LIMIT_BUILDS_PER_HOUR',
      'RATE_LIMIT_REQUESTS_BURST',
      'RATE_LIMIT_REQUESTS_PER_HOUR',
      'TRUSTED_PROXIES',
    ],
    upstream: false,
    limits: { cpus: '1.0', memory: '256M' },
    heapMb: 160,
    needs: ['build', 'status'],
    asks: ['prepare', 'build', 'status', 'catalogue', 'stats'],
  },
  {
    ...small,
    name: 'build',
    port: 8000,
    state: ['builds', 'queue', 'bucket', 'statistics'],
    settings: [
      ...PROXIES,
      ...POLICY,
      'DISTROS',
      'MAX_PENDING_JOBS',
      'MAX_RUNNERS',
      'REBUILD_PAUSE',
      'REFUSE_IMPOSSIBLE',
      'SERVER_STATS',
      'SIGNING_KEY',
    ],
    upstream: true,
    limits: { cpus: '1.0', memory: '384M' },
    heapMb: 256,
    asks: ['prepare'],
  },
  {
    ...small,
    name: 'prepare',
    port: 8001,
    state: [],
    settings: [...PROXIES, ...POLICY, 'DISTROS'],
    upstream: true,
    limits: { cpus: '0.5', memory: '256M' },
    heapMb: 160,
  },
  {
    ...small,
    name: 'status',
    port: 8002,
    state: ['builds', 'bucket'],
    settings: ['MAX_RUNNERS', 'REBUILD_PAUSE', 'SIGNING_KEY'],
    upstream: false,
    limits: { cpus: '0.5', memory: '256M' },
    heapMb: 160,
  },
  {
    ...small,
    name: 'catalogue',
    port: 8003,
    state: ['bucket'],
    settings: [...PROXIES, ...POLICY, 'CONTACT', 'DISTROS'],
    upstream: true,
    limits: { cpus: '0.5', memory: '384M' },
    heapMb: 256,
  },
  {
    ...small,
    name: 'stats',
    port: 8004,
    state: ['builds', 'bucket', 'statistics'],
    settings: [...PROXIES, ...POLICY, 'CONTACT'],
    upstream: true,
    limits: { cpus: '0.5', memory: '256M' },
    heapMb: 160,
  },
  {
    ...small,
    name: 'maintenance',
    port: 8005,
    state: ['builds', 'queue', 'bucket', 'statistics'],
    settings: [...PROXIES, ...POLICY, ...LIFETIMES, 'CONTACT', 'SWEEP_EVERY'],
    upstream: true,
    limits: { cpus: '0.5', memory: '384M' },
    heapMb: 256,
  },
  {
    ...small,
    name: 'runner',
    port: 8006,
    image: 'builder',
    state: ['builds', 'queue', 'bucket', 'statistics'],
    settings: [
      ...PROXIES,
      ...LIFETIMES,
      'APK_SIGNING_SECRET',
      'BRANCHES',
      'BUILD_MEMORY_MB',
      'DISTROS',
      'IMAGEBUILDER_CACHE_MB',
      'JOB_TIMEOUT',
      'LEASE',
      'MAX_BUILD_DISK_MB',
      'MAX_OUTPUT_MB',
      'SANDBOX',
      'SERVER_STATS',
      'SIGNING_SECRET',
      'TRUSTED_KEYS',
      'UPLOAD_TIMEOUT',
      'VERIFY',
      'WORKER_CONCURRENT',
    ],
    upstream: true,
    limits: { cpus: '2.0', memory: '4G' },
    heapMb: 512,
    // In this time the runner hands its build back and ends the processes of the build.
    stopGraceSeconds: 120,
    environment: { ALIVE_FILE: '/tmp/asu-runner-alive' },
  },
];

export function portOf(name: ServiceName): number {
  const found = TOPOLOGY.find((service) => service.name === name);
  if (found === undefined) throw new Error(`There is no service ${name}`);
  return found.port;
}

/** The environment of a service over LocalStack, without `HOST`, `PORT` and credentials. */
export function serviceEnvironment(
  service: ServiceDescription,
  urlOf: UrlOf,
  names: ResourceNames = DEVELOPMENT_NAMES,
): Record<string, string> {
  const asked = service.asks.map((name) => [`${name.toUpperCase()}_SERVICE_URL`, urlOf(name)]);
  const state = service.state.length > 0 ? resourceEnvironment(urlOf('localstack'), names, service.state) : {};
  return { ...nodeEnvironment(service), ...Object.fromEntries(asked), ...state, ...service.environment };
}

/**
 * Returns the settings of a service that an environment has, under their own names, as the service itself would read
 * them.
 */
export const givenSettings = (
  { settings }: ServiceDescription,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> => givenIn(env, settings);

/**
 * Options for Node: a small young generation and a cache of compiled code. They reduce the memory to a third, at a cost
 * of one or two milliseconds per hundred answers.
 */
const nodeEnvironment = ({ heapMb }: ServiceDescription) => ({
  NODE_OPTIONS: `--max-semi-space-size=1 --max-old-space-size=${heapMb}`,
  NODE_COMPILE_CACHE: '/tmp/asu-compile-cache',
});
