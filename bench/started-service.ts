import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface Started {
  readonly url: string;
  /** Returns the resident megabytes now and the peak so far. */
  memory(): Promise<{ rss_mb: number; peak_mb: number }>;
  stop(): void;
}

/** Starts a script in its own process, and waits until it prints a line with its URL. */
export async function startedService(script: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', PORT: '0', ...env },
  });
  return {
    url: await urlSaidBy(child),
    memory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      const megabytes = (field: string) => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
      return { rss_mb: megabytes('VmRSS'), peak_mb: megabytes('VmHWM') };
    },
    stop: () => void child.kill(),
  };
}

function urlSaidBy(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
    child.stdout?.on('data', (chunk) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(chunk)) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
