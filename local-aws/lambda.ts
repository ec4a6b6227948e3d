import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from './node-binary.ts';

/** A function as Lambda runs it: processes that answer one event at a time each, begun when they are needed, kept while warm. */
export interface Lambda {
  /** Rejects with `LambdaError` when the handler fails, or cannot even begin. */
  invoke(event: unknown): Promise<unknown>;
  /** How many processes were begun so far. */
  starts(): number;
  /** What its processes wrote, line by line. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface LambdaOptions {
  readonly name: string;
  /** A module with `handler`. */
  readonly path: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Lambda's limit of concurrent executions; who comes when all are busy waits. */
  readonly maxProcesses?: number;
  readonly onLine?: (line: string) => void;
}

export class LambdaError extends Error {
  override readonly name = 'LambdaError';
}

const PROCESS = fileURLToPath(new URL('./lambda-process.ts', import.meta.url));
const MAX_PROCESSES = 2;
/** Of what a process that ended wrote: Node begins with the source line, which in a bundle is long. */
const LAST_LINES = 12;

type Said = { ready: true } | { answer: unknown } | { failed: true };

export function lambda({ name, path, env, maxProcesses = MAX_PROCESSES, onLine }: LambdaOptions): Lambda {
  const lines: string[] = [];
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  const waiting: (() => void)[] = [];
  let starts = 0;
  let busy = 0;

  /** What a process says next; it rejects when the process ends instead. */
  const next = (child: ChildProcess): Promise<Said> =>
    new Promise((resolve, reject) => {
      const said = (message: unknown) => {
        child.off('close', ended);
        resolve(message as Said);
      };
      const ended = () => {
        child.off('message', said);
        reject(new LambdaError(`${name} ended: ${lines.slice(-LAST_LINES).join('\n').slice(-2_000)}`));
      };
      child.once('message', said);
      child.once('close', ended);
    });
  const start = async (): Promise<ChildProcess> => {
    starts += 1;
    const child = fork(PROCESS, [path], { env: { ...env }, execPath: nodeBinary, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    all.add(child);
    child.once('exit', () => {
      all.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.on('data', (chunk) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts.filter((part) => part !== '')) {
          lines.push(line.length > 2_000 ? `${line.slice(0, 2_000)}…` : line);
          onLine?.(line);
        }
      });
    }
    await next(child);
    return child;
  };

  return {
    lines,
    starts: () => starts,
    async invoke(event) {
      while (busy >= maxProcesses) await new Promise<void>((resolve) => waiting.push(resolve));
      busy += 1;
      try {
        const child = idle.pop() ?? (await start());
        const answered = next(child);
        child.send({ event });
        const said = await answered;
        if (child.connected) idle.push(child);
        if ('answer' in said) return said.answer;
        throw new LambdaError(`${name} failed: ${lines.slice(-LAST_LINES).join('\n').slice(-2_000)}`);
      } finally {
        busy -= 1;
        waiting.shift()?.();
      }
    },
    async stop() {
      await Promise.all(
        [...all].map(async (child) => {
          child.kill('SIGKILL');
          if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        }),
      );
    },
  };
}
