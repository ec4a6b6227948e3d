import { parseArgs } from 'node:util';
import { serveDemoUpstream } from './serve.ts';

const { values } = parseArgs({ options: { port: { type: 'string' }, directory: { type: 'string' } } });
const server = await serveDemoUpstream({
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
  ...(values.directory === undefined ? {} : { directory: values.directory }),
});
console.log(server.url);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
