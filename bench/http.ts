import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { report } from './machine.ts';
import { build, realServer } from './real-server.ts';

/**
 * Measures requests per second for the status of a finished build, for a cached POST (always the same text, and a new
 * text each time) and for the overview. `npm start` runs in one process, and a second process sends the load over 32
 * connections. Just before each, it measures a plain Node server without our code on the same machine: the ratio of the
 * two is comparable between machines. `npm run bench:http`.
 */
const run = promisify(execFile);
const server = await realServer({ WORKER_CONCURRENT: '1' });
const request = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim', 'tmux', 'htop', 'nano', 'luci'] };
const { request_hash } = await build(server.url, request);
const size = (await (await fetch(`${server.url}/api/v1/build/${request_hash}`)).text()).length;
const bare = await bareServer(size);
try {
  for (const [name, path, method, body] of [
    ['get_finished_build', `/api/v1/build/${request_hash}`, 'GET', ''],
    ['post_cached_request', '/api/v1/build', 'POST', JSON.stringify(request)],
    ['post_cached_request_in_other_words', '/api/v1/build', 'POST', JSON.stringify({ ...request, client: 'bench/[<id>]' })],
    ['get_overview', '/json/v1/overview.json', 'GET', ''],
  ] as const) {
    await load(server.url + path, method, body, 4);
    const baseline = await load(bare.url, method, body, 6);
    const figures = await load(server.url + path, method, body, 8);
    const share = Math.round((figures.requests_per_second / baseline.requests_per_second) * 100) / 100;
    report(name, { ...figures, bare_node_requests_per_second: baseline.requests_per_second, share_of_bare_node: share });
  }
} finally {
  bare.stop();
  await server.close();
}

async function load(url: string, method: string, body: string, seconds: number) {
  const { stdout } = await run(process.execPath, [new URL('./load.ts', import.meta.url).pathname, url, method, body, String(seconds)]);
  return JSON.parse(stdout) as { requests_per_second: number; p50_ms: number; p99_ms: number; errors: number };
}

/** Starts a server that reads every request to its end and answers it with `bytes` bytes of JSON. */
async function bareServer(bytes: number): Promise<{ url: string; stop(): void }> {
  const program = `const body = JSON.stringify('x'.repeat(${bytes - 2}));
    const server = require('node:http').createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
        response.end(body);
      });
    });
    server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port));`;
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())));
  return { url, stop: () => child.kill() };
}
