import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FUNCTION_NAMES, type FunctionName } from '#functions/function-name.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { type Lambda, lambda } from './lambda.ts';
import { type AwsResources, localEnvironment, type ResourceNames, resourcesAt, uniqueNames } from './resources/aws-resources.ts';
import { createResources } from './resources/create-resources.ts';
import { localClients } from './resources/local-clients.ts';
import { type StartedProcess, startProcess } from './started-process.ts';

export interface StackOptions {
  readonly localStackUrl: string;
  readonly upstreamUrl: string;
  /** What `bundleFunctions` made. */
  readonly functionsDirectory: string;
  /** The runner's module. */
  readonly runnerMain: string;
  readonly port?: number;
  /** The names of the resources; without them, names that no other stack has. */
  readonly names?: ResourceNames;
  /** Settings of everything. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where single functions find AWS, if not at LocalStack itself. */
  readonly endpoints?: Readonly<Partial<Record<FunctionName, string>>>;
  readonly maxProcesses?: number;
  /** Told of every line that functions and runners log. */
  readonly onLine?: (who: string, line: string) => void;
}

/** The whole system as AWS has it, on this machine: resources in a LocalStack, gateway, functions, and as many runners as are started. */
export interface Stack {
  readonly url: string;
  readonly names: ResourceNames;
  readonly resources: AwsResources;
  readonly functions: Readonly<Record<FunctionName, Lambda>>;
  /** What the gateway was told went wrong. */
  readonly troubles: readonly unknown[];
  /** Settles when it is ready for builds. */
  startRunner(options?: { env?: Readonly<Record<string, string>>; endpoint?: string }): Promise<StartedProcess>;
  /** Invokes maintenance as its schedule does. */
  maintain(): Promise<void>;
  stop(): Promise<void>;
}

/** For make and the tools that ImageBuilder needs. */
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
      lambda({
        name,
        path: join(functionsDirectory, name, 'handler.mjs'),
        env: environment(endpoints[name]),
        ...(options.maxProcesses !== undefined && { maxProcesses: options.maxProcesses }),
        ...(onLine && { onLine: (line) => onLine(name, line) }),
      }),
    ]),
  ) as Record<FunctionName, Lambda>;
  const gateway: Gateway = await startGateway({
    bucketUrl: `${localStackUrl}/${resources.bucket}`,
    functions,
    ...(port !== undefined && { port }),
    onError: (error) => troubles.push(error),
  });
  const directory = await mkdtemp(join(tmpdir(), 'asu-aws-'));
  const runners: StartedProcess[] = [];

  return {
    url: gateway.url,
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
      await Promise.all([gateway.close(), ...runners.filter((runner) => runner.isRunning()).map((runner) => runner.kill())]);
      await Promise.all(Object.values(functions).map((one) => one.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
