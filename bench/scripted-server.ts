import { stdoutLog } from '#standalone/stdout-log.ts';
import { startTestServer } from '#test/support/test-server.ts';

/**
 * Runs the whole server over the demo upstream. A script makes the images, so that a benchmark measures only the
 * server. It prints its URL, then its log. Arguments are settings, such as `MAX_PENDING_JOBS=10000`.
 */
const env = Object.fromEntries(process.argv.slice(2).map((setting) => setting.split('=', 2)));
const server = await startTestServer({ log: stdoutLog('info'), env });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => server.close());
