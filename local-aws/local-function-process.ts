import { pathToFileURL } from 'node:url';

/**
 * The process of one function: it imports the handler, then answers one event after another, as Lambda's runtime does.
 */
const [path = ''] = process.argv.slice(2);

// Ctrl-C in a terminal reaches every process. This one ignores it: its parent ends it.
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit());

const { handler } = await imported();
process.on('message', ({ event }: { event: unknown }) => {
  Promise.resolve(handler(event, {})).then(
    (answer) => process.send?.({ answer: answer ?? null }),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.send?.({ failed: true });
    },
  );
});
process.send?.({ ready: true });

/**
 * Imports the handler, and writes a failure to standard error itself. Node's own report begins with the source line,
 * which in a bundle is so long that it fills the pipe before the message.
 */
async function imported(): Promise<{ handler: (event: unknown, context: object) => Promise<unknown> }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
    await new Promise<void>((resolve) => process.stderr.write(`${text}\n`, () => resolve()));
    return process.exit(1);
  }
}
