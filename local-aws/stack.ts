import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FUNCTION_NAMES, type FunctionName } from '#functions/function-name.ts';
import { type LocalApi, startLocalApi } from './local-api.ts';
import { type LocalFunction, localFunction } from './local-function.ts';
import { type AwsResources, localEnvironment, type ResourceNames, resourcesAt, uniqueNames } from './resources/aws-resources.ts';
import { createResources } from './resources/create-resources.ts';
import { localClients } from './resources/local-clients.ts';
import { type StartedProcess, startProcess } from './started-process.ts';

export interface StackOptions {
  readonly localStackUrl: string;
  readonly upstreamUrl: string;
  /** The directory that `bundleFunctions` wrote. */
  readonly functionsDirectory: string;
  /** The path of the runner's bundle. */
  readonly runnerMain: string;
  readonly port?: number;
  /** The names of the resources. By default they are names that no other stack has. */
  readonly names?: ResourceNames;
  /** Settings for all functions and runners. */
  readonly env?: Readonly<Record<string, string>>;
  /** The endpoint of AWS for each function that does not use LocalStack directly. */
  readonly endpoints?: Readonly<Partial<Record<FunctionName, string>>>;
  readonly maxProcesses?: number;
  /** Called with every line that a function or a runner logs, and its name. */
  readonly onLine?: (source: string, line: string) => void;
}

/**
 * The whole system on this machine, composed as on AWS: resources in a LocalStack, local API, functions, and the
 * runners that were started.
 */
export interface Stack {
  readonly url: string;
  readonly names: ResourceNames;
  readonly resources: AwsResources;
  readonly functions: Readonly<Record<FunctionName, LocalFunction>>;
  /** The errors that the local API reported. */
  readonly troubles: readonly unknown[];
  /** Starts a runner. Resolves when the runner is ready for builds. */
  startRunner(options?: { env?: Readonly<Record<string, string>>; endpoint?: string }): Promise<StartedProcess>;
  /** Invokes maintenance as its schedule does. */
  maintain(): Promise<void>;
  stop(): Promise<void>;
}

/** The runner's search path, for make and the tools that ImageBuilder needs. */
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

export async function startStack(options: StackOptions): Promise<Stack> {
  const {
    localStackUrl,
    upstreamUrl,
    functionsDirectory,
    runnerMain,
    port,
    names = uniqueNames(),
    env = {},
    endpoints = {},
    onLine,
  } = options;
  const clients = localClients(localStackUrl);
  await createResources(clients, names);
  for (const client of Object.values(clients)) client.destroy();
  const resources = resourcesAt(localStackUrl, names);
  const environment = (endpoint = localStackUrl) => ({
    ...localEnvironment(endpoint, names),
    UPSTREAM_URL: upstreamUrl,
    CATALOGUE_URL: upstreamUrl,
    ...env,
  });
  const troubles: unknown[] = [];
  const functions = Object.fromEntries(
    FUNCTION_NAMES.map((name) => [
      name,
      localFunction({
        name,
        path: join(functionsDirectory, name, 'handler.mjs'),
        env: environment(endpoints[name]),
        ...(options.maxProcesses !== undefined && { maxProcesses: options.maxProcesses }),
        ...(onLine && { onLine: (line) => onLine(name, line) }),
      }),
    ]),
  ) as Record<FunctionName, LocalFunction>;
  const api: LocalApi = await startLocalApi({
    bucketUrl: `${localStackUrl}/${resources.bucket}`,
    functions,
    ...(port !== undefined && { port }),
    onError: (error) => troubles.push(error),
  });
  const directory = await mkdtemp(join(tmpdir(), 'asu-aws-'));
  const runners: StartedProcess[] = [];

  return {
    url: api.url,
    names,
    resources,
    functions,
    troubles,
    async startRunner({ env: more = {}, endpoint } = {}) {
      const number = runners.length + 1;
      const dataDir = join(directory, `runner-${number}`);
      const runner = startProcess(runnerMain, { PATH, DATA_DIR: dataDir, ...environment(endpoint), ...more }, (line) =>
        onLine?.(`runner-${number}`, line),
      );
      runners.push(runner);
      await runner.line('"runner ready"');
      return runner;
    },
    async maintain() {
      await functions.maintenance.invoke({});
    },
    async stop() {
      await Promise.all([api.close(), ...runners.filter((runner) => runner.isRunning()).map((runner) => runner.kill())]);
      await Promise.all(Object.values(functions).map((one) => one.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
