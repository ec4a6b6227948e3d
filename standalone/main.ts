import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { checkHost } from '#runner/host/check-host.ts';
import { SettingsError } from '#settings/read-settings.ts';
import { readConfig } from './config.ts';
import { describeMissing } from './describe-host.ts';
import { onHangup } from './on-hangup.ts';
import { reloadSettings } from './reload-settings.ts';
import { type Standalone, startServer } from './start-server.ts';
import { stdoutLog } from './stdout-log.ts';

const USAGE = `Usage: npm start [-- --host ADDRESS] [-- --port N] [-- --config FILE]

Runs the whole server in one process: API, builds and maintenance. Settings come from the command line, the environment, and
asu.toml or config.yaml in ./, ~/.asu/ or /etc/asu/ (docs/configuration.md lists them); \`npm run config\` prints what is in force.

  --host ADDRESS   address to listen on (HOST, default 127.0.0.1)
  --port N         port to listen on (PORT, default 8000)
  --config FILE    the only configuration file to read (ASU_CONFIG)

SIGHUP reads the configuration file again.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const read = () => readConfig(values);
  const { config, file, warnings } = read();
  let running = config;
  const log = stdoutLog(() => running.LOG_LEVEL);
  log.info('settings read', { file: file ?? null });
  for (const warning of warnings) log.warn('setting has no effect', { warning });

  let server: Standalone | undefined;
  let isReloadDue = false;
  const reload = () => {
    isReloadDue = server === undefined;
    if (server !== undefined) running = reloadSettings(running, read, server.reconfigure, log);
  };
  let isStopping = false;
  const stop = (signal: string) => {
    // A second Ctrl-C ends the process at once. Builds go on after the next start.
    if (isStopping || server === undefined) process.exit(130);
    isStopping = true;
    log.info('server stopping: its builds go back to the queue', { signal });
    server.close().then(
      () => log.info('server stopped'),
      (error: unknown) => {
        log.error('server did not stop cleanly', { error });
        process.exitCode = 1;
      },
    );
  };
  onHangup(reload, () => stop('SIGHUP'));

  await mkdir(config.dataDir, { recursive: true });
  const missing = describeMissing(await checkHost(config.dataDir));
  if (missing !== '') process.stderr.write(`${missing}\n\n`);

  server = await startServer(config, log);
  log.info('server listening', { url: server.url, data: config.dataDir, upstream: config.UPSTREAM_URL });
  warnOfUnreachableUpstream(config.UPSTREAM_URL, (reason) =>
    log.warn('upstream could not be reached: requests are answered from what is known, builds wait', {
      upstream: config.UPSTREAM_URL,
      reason,
    }),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  if (isReloadDue) reload();
}

function warnOfUnreachableUpstream(url: string, warn: (reason: string) => void): void {
  fetch(`${url}/.versions.json`, { signal: AbortSignal.timeout(10_000) }).then(
    (response) => (response.ok ? response.body?.cancel() : warn(`it answers ${response.status}`)),
    (error: Error) => warn(error.cause instanceof Error ? error.cause.message : error.message),
  );
}

try {
  await main();
} catch (error) {
  if (error instanceof SettingsError) process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  else process.stderr.write(`The server could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
