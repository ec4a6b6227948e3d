import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from './node-binary.ts';

/**
 * A function as Lambda runs it: in processes that each answer one event at a time. A process starts when it is needed,
 * and stays for later events.
 */
export interface LocalFunction {
  /**
   * Resolves with the handler's answer. Rejects with `LocalFunctionError` when the handler fails or cannot be imported.
   */
  invoke(event: unknown): Promise<unknown>;
  /** Returns how many processes have been started. */
  starts(): number;
  /** The lines that its processes have written. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface LocalFunctionOptions {
  readonly name: string;
  /** The path of a module that exports `handler`. */
  readonly path: string;
  /** The whole environment of its processes: they inherit nothing. */
  readonly env: Readonly<Record<string, string>>;
  /** The limit of concurrent executions. An event that arrives while all processes are busy waits. */
  readonly maxProcesses?: number;
  readonly onLine?: (line: string) => void;
}

export class LocalFunctionError extends Error {
  override readonly name = 'LocalFunctionError';
}

const PROCESS = fileURLToPath(new URL('./local-function-process.ts', import.meta.url));
const MAX_PROCESSES = 2;
/**
 * How many of a process's last lines an error quotes. The last ones: Node's report begins with the source line, which
 * is long in a bundle.
 */
const LAST_LINES = 12;

type Message = { ready: true } | { answer: unknown } | { failed: true };

export function localFunction({ name, path, env, maxProcesses = MAX_PROCESSES, onLine }: LocalFunctionOptions): LocalFunction {
  const lines: string[] = [];
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  const waiting: (() => void)[] = [];
  let starts = 0;
  let busy = 0;

  /** Resolves with the next message of a process, and rejects when the process ends instead. */
  const nextMessage = (child: ChildProcess): Promise<Message> =>
    new Promise((resolve, reject) => {
      const received = (message: unknown) => {
        child.off('close', ended);
        resolve(message as Message);
      };
      const ended = () => {
        child.off('message', received);
        reject(new LocalFunctionError(`${name} ended: ${lines.slice(-LAST_LINES).join('\n').slice(-2_000)}`));
      };
      child.once('message', received);
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
    await nextMessage(child);
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
        const answered = nextMessage(child);
        child.send({ event });
        const message = await answered;
        if (child.connected) idle.push(child);
        if ('answer' in message) return message.answer;
        throw new LocalFunctionError(`${name} failed: ${lines.slice(-LAST_LINES).join('\n').slice(-2_000)}`);
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
