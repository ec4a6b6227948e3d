import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { docker, dockerEnv } from './docker.ts';
import { RUNNER_IMAGE } from './make-runner-image.ts';

/** A process as the kernel sees it from outside its container. */
export interface ProcessStatus {
  readonly name: string;
  readonly uid: number;
  /** The capabilities that the process has, and those it could get. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
}

export interface Container {
  /** The lines that the container has written so far. */
  readonly lines: readonly string[];
  /** Waits for the first line that contains all of the texts, earlier lines included. Rejects when the container ends without one. */
  line(...texts: string[]): Promise<string>;
  /** Runs a command in the container and returns its exit code. */
  exec(...command: string[]): Promise<number>;
  inspect(format: string): Promise<string>;
  processes(): Promise<ProcessStatus[]>;
  /** Sends SIGTERM, and SIGKILL after the given seconds. Returns the exit code, which is 137 after SIGKILL. */
  stop(seconds: number): Promise<number | null>;
}

/** Runs the runner's image with docker's options in `options`. */
export function startContainer(
  directory: string,
  name: string,
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Container {
  const variables = Object.entries(env).map(([key, value]) => `--env=${key}=${value}`);
  const args = ['run', '--name', name, ...options, ...variables, RUNNER_IMAGE];
  const child = spawn('docker', args, { env: dockerEnv(directory), stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  let isOver = false;
  const ended = once(child, 'close').then(() => {
    isOver = true;
    for (const look of waiting) look();
    return child.exitCode;
  });

  return {
    lines,
    line: (...texts) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => texts.every((text) => line.includes(text)));
          if (found === undefined && !isOver) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`the container ended before it said ${texts.join(', ')}:\n${lines.slice(-20).join('\n')}`));
        };
        waiting.add(look);
        look();
      }),
    exec: (...command) =>
      docker(directory, 'exec', name, ...command).then(
        () => 0,
        (error: { code: number }) => error.code,
      ),
    inspect: (format) => docker(directory, 'inspect', '--format', format, name),
    processes: async () => {
      const [, ...pids] = (await docker(directory, 'top', name, '-eo', 'pid')).split('\n');
      return (await Promise.all(pids.map((pid) => processStatus(pid.trim())))).flat();
    },
    stop: async (seconds) => {
      if (!isOver) await docker(directory, 'stop', '--time', String(seconds), name);
      const code = await ended;
      await docker(directory, 'rm', '--force', '--volumes', name);
      return code;
    },
  };
}

/** Undefined where the process has ended meanwhile. */
async function processStatus(pid: string): Promise<ProcessStatus[]> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const field = (key: string) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '';
  return [
    {
      name: field('Name'),
      uid: Number(field('Uid')),
      capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(field),
      noNewPrivileges: field('NoNewPrivs') === '1',
    },
  ];
}
