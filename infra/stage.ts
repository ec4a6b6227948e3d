import { config } from './config.ts';

/** Only production keeps what it has when it is changed or removed. */
export const isProduction = $app.stage === 'production';

/** How long logs of functions, runner and API are kept. */
export const logRetention = isProduction ? '1 month' : '1 week';

/** CloudWatch's namespace for what functions and runner measure, and where alarms look for it. */
export const metricsNamespace = config.service['METRICS_NAMESPACE'] ?? `${$app.name}-${$app.stage}`;

/** Names what SST does not name by itself. */
export const physicalName = (name: string): string => `${$app.name}-${$app.stage}-${name}`;
