import { SettingsError } from '#core/read-settings.ts';
import { emfMetrics } from '#http/emf-metrics.ts';
import { processLog } from '#http/process-log.ts';
import { loadConfig, type RunnerConfig } from './config.ts';
import { imagebuilderMaker } from './imagebuilder/imagebuilder-maker.ts';
import { runRunner } from './run-runner.ts';
import { placeKeys } from './signing/place-keys.ts';

async function imagebuilder(config: RunnerConfig) {
  await placeKeys(config.keyDir, { 'key-build': config.SIGNING_SECRET, 'local-private-key.pem': config.APK_SIGNING_SECRET });
  return imagebuilderMaker({
    upstreamUrl: config.UPSTREAM_URL,
    cacheDirectory: config.cacheDir,
    workDirectory: config.workDir,
    keyDirectory: config.keyDir,
    cacheBytes: config.IMAGEBUILDER_CACHE_MB * 1024 * 1024,
    verify: config.VERIFY,
    keys: config.TRUSTED_KEYS,
    timeoutMs: config.JOB_TIMEOUT * 1000,
    ...(config.SANDBOX !== 'auto' && { sandbox: config.SANDBOX }),
  });
}

try {
  const config = loadConfig();
  // Nobody scrapes a task of ECS, which comes and goes; elsewhere its log is no place for metrics.
  const metrics = config.ECS_AGENT_URI === undefined ? undefined : emfMetrics({ service: 'runner', namespace: config.METRICS_NAMESPACE });
  await runRunner(config, processLog(config.LOG_LEVEL, 'runner'), imagebuilder, metrics);
} catch (error) {
  if (error instanceof SettingsError) process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  else process.stderr.write(`The runner could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
