import { jsonLog } from '#http/log.ts';
import { testServer } from '#test/support/test-server.ts';

/** The whole server over the demo upstream with images by script: what is measured is ours. Prints its URL. */
const server = await testServer({ log: jsonLog('info', (line) => process.stderr.write(line)) });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => server.close());
