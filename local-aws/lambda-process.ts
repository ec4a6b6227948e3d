import { pathToFileURL } from 'node:url';

/** A function's process: imports the handler, then answers one event after the other, as Lambda's runtime does. */
const [path = ''] = process.argv.slice(2);

// Ctrl-C in a terminal reaches every process; who started this one ends it.
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit());

const { handler } = (await import(pathToFileURL(path).href)) as { handler: (event: unknown, context: object) => Promise<unknown> };
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
