import { config } from './config.ts';

/** Whether this is the production stage, the only one that keeps its data when it is changed or removed. */
export const isProduction = $app.stage === 'production';

/** The lifetime of the logs of functions, runner and API. */
export const logRetention = isProduction ? '1 month' : '1 week';

/** The CloudWatch namespace of the metrics of functions and runner, which alarms use too. */
export const metricsNamespace = config.service['METRICS_NAMESPACE'] ?? `${$app.name}-${$app.stage}`;

/** Returns a name for a resource that SST does not name itself. */
export const physicalName = (name: string): string => `${$app.name}-${$app.stage}-${name}`;
