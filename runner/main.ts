import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { SettingsError } from '#settings/read-settings.ts';
import { loadConfig } from './config.ts';
import { makerFromConfig } from './maker-from-config.ts';
import { startRunner } from './start-runner.ts';

try {
  const config = loadConfig();
  // ECS tasks come and go and cannot be scraped, so metrics go to the log there. Elsewhere metrics do not belong in the
  // log.
  const metrics = config.ECS_AGENT_URI === undefined ? undefined : emfMetrics({ service: 'runner', namespace: config.METRICS_NAMESPACE });
  await startRunner(config, processLog(config.LOG_LEVEL, 'runner'), makerFromConfig, metrics);
} catch (error) {
  if (error instanceof SettingsError) process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  else process.stderr.write(`The runner could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
