import { stdoutLog } from '#standalone/stdout-log.ts';
import { testServer } from '#test/support/test-server.ts';

/** The whole server over the demo upstream with images by script: what is measured is ours. Prints its URL, then its log. */
const server = await testServer({ log: stdoutLog('info') });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => server.close());
