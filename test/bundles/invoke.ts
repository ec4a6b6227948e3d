import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** Returns the event that API Gateway passes to a function. */
export const httpEvent = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: '',
  headers: { host: 'api.example.org', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  requestContext: { http: { method, path, sourceIp: '192.0.2.1', protocol: 'HTTP/1.1', userAgent: 'test' }, domainName: 'api.example.org' },
  isBase64Encoded: false,
  ...(body !== undefined && { body: JSON.stringify(body) }),
});

export interface Invocation {
  /** The answer of the handler; absent if the process ended first. */
  readonly answer?: { statusCode: number; headers: Record<string, string>; body: string };
  readonly log: string;
  readonly errors: string;
}

const DRIVER = `
const [path, event] = process.argv.slice(1);
// Node would print the error with its source line, which in a bundle is longer than a pipe's buffer.
const { handler } = await import(path).catch((error) => process.stderr.write(error.stack + '\\n', () => process.exit(1)) && new Promise(() => {}));
const answer = await handler(JSON.parse(event), {});
process.stdout.write('\\nANSWER' + JSON.stringify(answer) + '\\n', () => process.exit(0));
`;

/** Runs the handler of a bundle once, in its own process with only `env` as its environment. */
export function invoke(bundle: string, event: unknown, env: Record<string, string> = {}): Promise<Invocation> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', DRIVER, '--', pathToFileURL(bundle).href, JSON.stringify(event)],
      {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const [output, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.once('error', reject);
    child.once('close', () => {
      const [log = '', answer] = Buffer.concat(output).toString().split('\nANSWER');
      resolve({ log, errors: Buffer.concat(errors).toString(), ...(answer !== undefined && { answer: JSON.parse(answer) }) });
    });
  });
}
