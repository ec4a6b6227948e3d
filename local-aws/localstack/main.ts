import { LOCALSTACK_DIRECTORY } from '#local-aws/config.ts';
import { startLocalStack } from './start.ts';

// `npm run localstack` starts one LocalStack that several lanes share. It prints the address as its first line of
// standard output. SIGTERM or Ctrl-C ends it.
const localStack = await startLocalStack(LOCALSTACK_DIRECTORY);
process.stdout.write(`${localStack.url}\n`);
const keepAlive = setInterval(() => undefined, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    clearInterval(keepAlive);
    await localStack.stop();
    process.exit(0);
  });
