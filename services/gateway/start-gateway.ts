import { randomBytes } from 'node:crypto';
import { maxBodyBytes } from '#http/json-body.ts';
import { clientAddress } from '#http/rate-limit/client-address.ts';
import { clientKeys } from '#http/rate-limit/client-keys.ts';
import { shareOf } from '#http/rate-limit/share-of.ts';
import { rateOf } from '#http/rate-limit/token-buckets.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { VERSION } from '#settings/version.ts';
import { type Service, startService } from '../start-service.ts';
import { gatewayApp } from './app.ts';
import { type GatewayConfig, loadConfig } from './config.ts';
import { readinessRoutes } from './readiness.ts';
import { GATEWAY_SERVICES } from './routes.ts';

/** Starts the gateway: one origin, one CORS policy and one rate limit for all services. */
export async function startGateway(config: GatewayConfig = loadConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const now = () => new Date();
  const services = {
    prepare: config.PREPARE_SERVICE_URL,
    build: config.BUILD_SERVICE_URL,
    status: config.STATUS_SERVICE_URL,
    catalogue: config.CATALOGUE_SERVICE_URL,
    stats: config.STATS_SERVICE_URL,
  };
  const given = Object.fromEntries(Object.entries(services).filter(([, url]) => url !== undefined));
  const targets = GATEWAY_SERVICES.flatMap((name) => (services[name] === undefined ? [] : [{ name, url: services[name] }]));
  const onServiceError = (service: string, error: unknown, correlationId?: string) =>
    log.warn('service could not answer', {
      upstream: service,
      error,
      ...(correlationId !== undefined && { correlation_id: correlationId }),
    });
  const parts = { log, metrics: prometheusMetrics(config.SERVICE_NAME) };
  return startService(config, parts, {
    checks: {},
    routes: [
      readinessRoutes({ targets, version: VERSION, now, onError: onServiceError }),
      gatewayApp({
        services: given,
        clientAddress: clientAddress(config.TRUSTED_PROXIES),
        maxBodyBytes: maxBodyBytes(config.MAX_DEFAULTS_LENGTH),
        maxPendingPerClient: shareOf(config.MAX_PENDING_PER_CLIENT, config.MAX_PENDING_JOBS),
        clientKey: clientKeys(randomBytes(32)),
        builds: rateOf(config.RATE_LIMIT_BUILDS_PER_HOUR, config.RATE_LIMIT_BUILDS_BURST),
        others: rateOf(config.RATE_LIMIT_REQUESTS_PER_HOUR, config.RATE_LIMIT_REQUESTS_BURST),
        onError: onServiceError,
      }),
    ],
  });
}
