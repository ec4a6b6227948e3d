import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { nodeBinary } from './node-binary.ts';

/** A long-running process of ours, such as a runner. */
export interface StartedProcess {
  readonly pid: number;
  /** What it wrote so far, line by line. */
  readonly lines: readonly string[];
  /** The first line so far, or from now on, that contains all of the texts; rejects when the process ends without. */
  line(...texts: string[]): Promise<string>;
  /** Its exit code when it ends; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  isRunning(): boolean;
  /** Ends it at once, as the kernel would. */
  kill(): Promise<void>;
  /** Ends it as an operator would. */
  stop(): Promise<number | null>;
}

/** Starts a module of ours in a process with nothing in its environment but `env`. */
export function startProcess(main: string, env: Readonly<Record<string, string>>, onLine?: (line: string) => void): StartedProcess {
  const child = spawn(nodeBinary, [main], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      onLine?.(line);
      for (const listener of listeners) listener(line);
    });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const ended = once(child, 'close').then(() => child.exitCode);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));

  return {
    pid: child.pid ?? 0,
    lines,
    ended,
    isRunning,
    line: (...texts) => {
      const isMeant = (line: string) => texts.every((text) => line.includes(text));
      const found = lines.find(isMeant);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const listener = (line: string) => {
          if (!isMeant(line)) return;
          listeners.delete(listener);
          resolve(line);
        };
        listeners.add(listener);
        ended.then((code) =>
          reject(new Error(`it ended with ${code} before it said ${texts.join(', ')}:\n${lines.slice(-20).join('\n')}`)),
        );
      });
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
