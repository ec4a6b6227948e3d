import { SettingsError } from '#settings/read-settings.ts';
import type { Service } from './start-service.ts';
import { SERVICE_NAMES, type ServiceName } from './topology.ts';

/**
 * The start of each service. It loads only its own code, so that a service has no unused AWS client or sandbox in
 * memory.
 */
const STARTS: Readonly<Record<ServiceName, () => Promise<Service>>> = {
  gateway: async () => (await import('./gateway/start-gateway.ts')).startGateway(),
  build: async () => (await import('./start-build.ts')).startBuild(),
  prepare: async () => (await import('./start-prepare.ts')).startPrepare(),
  status: async () => (await import('./start-status.ts')).startStatus(),
  catalogue: async () => (await import('./start-catalogue.ts')).startCatalogue(),
  stats: async () => (await import('./start-stats.ts')).startStats(),
  maintenance: async () => (await import('./start-maintenance.ts')).startMaintenance(),
  runner: async () => (await import('./start-runner.ts')).startRunnerService(),
};

const USAGE = `Usage: npm run service -- ${SERVICE_NAMES.join('|')}

Runs one function as a separate server until SIGTERM. Settings come from the environment (docs/deployments.md).
`;

async function main(name: string | undefined): Promise<number> {
  const known = SERVICE_NAMES.find((one) => one === name);
  if (known === undefined) {
    (name === '--help' ? process.stdout : process.stderr).write(USAGE);
    return name === '--help' ? 0 : 2;
  }
  // This comes before the start, which may take long. A service that is stopped while it starts has nothing to close.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
  const service = await STARTS[known]();
  await Promise.race([stopped, ...(service.ended ? [service.ended] : [])]);
  await service.close();
  return 0;
}

try {
  const code = await main(process.argv[2]);
  if (code !== 0) process.exitCode = code;
} catch (error) {
  if (error instanceof SettingsError) process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  else process.stderr.write(`The service could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
