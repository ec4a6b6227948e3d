import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { report } from './machine.ts';

/**
 * Requests per second of a finished build's status, of a cached POST and of the overview, with load from a second process against a
 * server in a process of its own. `npm run bench:http`.
 */
const run = promisify(execFile);
const server = spawn(process.execPath, [new URL('./scripted-server.ts', import.meta.url).pathname], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise<string>((resolve) =>
  server.stdout.on('data', (lines) => {
    const line = String(lines)
      .split('\n')
      .find((text) => text.startsWith('http'));
    if (line !== undefined) resolve(line);
  }),
);
const idleKib = await rssKib(server.pid);
const request = JSON.stringify({
  version: '24.10.2',
  target: 'x86/64',
  profile: 'generic',
  packages: ['vim', 'tmux', 'htop', 'nano', 'luci'],
});
try {
  const post = () => fetch(`${url}/api/v1/build`, { method: 'POST', body: request });
  let answer = await post();
  while (answer.status === 202) answer = await post();
  const { request_hash } = (await answer.json()) as { request_hash: string };
  for (const [name, path, method, body] of [
    ['get_finished_build', `/api/v1/build/${request_hash}`, 'GET', ''],
    ['post_cached_request', '/api/v1/build', 'POST', request],
    ['get_overview', '/json/v1/overview.json', 'GET', ''],
  ] as const) {
    const load = async (seconds: string) =>
      JSON.parse((await run(process.execPath, [new URL('./load.ts', import.meta.url).pathname, url + path, method, body, seconds])).stdout);
    await load('2');
    report(name, await load('8'));
  }
  report('rss', { idle_mb: Math.round(idleKib / 1024), loaded_mb: Math.round((await rssKib(server.pid)) / 1024) });
} finally {
  server.kill();
}

async function rssKib(pid: number | undefined): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
