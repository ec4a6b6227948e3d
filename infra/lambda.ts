import { config } from './config.ts';
import { logRetention, metricsNamespace } from './stage.ts';

type FunctionArgs = ConstructorParameters<typeof sst.aws.Function>[1];

interface LambdaOptions extends Pick<FunctionArgs, 'permissions' | 'memory' | 'timeout' | 'retries'> {
  readonly environment?: Readonly<Record<string, $util.Input<string>>>;
}

/**
 * Makes a function from its bundle (`npm run bundle`). Its role may do only what `permissions` lists and write its log.
 */
export const lambda = (name: string, directory: string, { environment = {}, ...options }: LambdaOptions = {}) =>
  new sst.aws.Function(name, {
    bundle: `dist/functions/${directory}`,
    handler: 'handler.handler',
    runtime: 'nodejs24.x',
    architecture: 'arm64',
    // Package indexes are megabytes of JSON, and Lambda assigns processor time by memory.
    memory: '1024 MB',
    timeout: '29 seconds',
    logging: { retention: logRetention },
    environment: { METRICS_NAMESPACE: metricsNamespace, ...config.service, ...environment },
    // SST's default lets the whole account assume the role.
    transform: { role: { assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: 'lambda.amazonaws.com' }) } },
    ...options,
  });
