import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { checkHost } from '#runner/host/check-host.ts';
import { ConfigError, loadConfig } from './config.ts';
import { describeMissing } from './describe-host.ts';
import { startRealServer } from './start-real-server.ts';
import { stdoutLog } from './stdout-log.ts';

const USAGE = `Usage: npm start [-- --host ADDRESS] [-- --port N]

Runs the whole server in one process: API, builds and maintenance. Settings come from the environment (README.md lists them).

  --host ADDRESS   address to listen on (HOST, default 127.0.0.1)
  --port N         port to listen on (PORT, default 8000)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const config = loadConfig(values);
  const log = stdoutLog(config.LOG_LEVEL);
  await mkdir(config.dataDir, { recursive: true });
  const missing = describeMissing(await checkHost(config.dataDir));
  if (missing !== '') process.stderr.write(`${missing}\n\n`);

  const server = await startRealServer(config, log);
  log.info('server listening', { url: server.url, data: config.dataDir, upstream: config.UPSTREAM_URL });
  warnOfUnreachableUpstream(config.UPSTREAM_URL, (reason) =>
    log.warn('upstream could not be reached: requests are answered from what is known, builds wait', {
      upstream: config.UPSTREAM_URL,
      reason,
    }),
  );

  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // The second Ctrl-C means it: builds are taken up again after the next start.
      if (isStopping) process.exit(130);
      isStopping = true;
      log.info('server stopping: builds under way are handed back', { signal });
      server.close().then(
        () => log.info('server stopped'),
        (error: unknown) => {
          log.error('server did not stop cleanly', { error });
          process.exitCode = 1;
        },
      );
    });
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
  if (error instanceof ConfigError) process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  else process.stderr.write(`The server could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
