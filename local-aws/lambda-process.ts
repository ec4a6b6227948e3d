import { pathToFileURL } from 'node:url';

/** A function's process: imports the handler, then answers one event after the other, as Lambda's runtime does. */
const [path = ''] = process.argv.slice(2);

// Ctrl-C in a terminal reaches every process; who started this one ends it.
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

/** What Node would show of a failure begins with the line of source, which in a bundle fills the pipe before it comes to the point. */
async function imported(): Promise<{ handler: (event: unknown, context: object) => Promise<unknown> }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
    await new Promise<void>((resolve) => process.stderr.write(`${text}\n`, () => resolve()));
    return process.exit(1);
  }
}
