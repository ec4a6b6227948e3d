import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { nodeBinary } from './node-binary.ts';

/** A long-running process of this project, such as a runner. */
export interface StartedProcess {
  readonly pid: number;
  /** The lines that it has written. */
  readonly lines: readonly string[];
  /**
   * Resolves with the first line, past or future, that contains all of the texts. Rejects when the process ends before
   * that.
   */
  line(...texts: string[]): Promise<string>;
  /** Resolves with the exit code when the process has ended, with null when a signal ended it. */
  readonly ended: Promise<number | null>;
  isRunning(): boolean;
  /** Ends the process with SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Ends the process with SIGTERM, as an operator would. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts a module of this project in a process whose environment is `env` and nothing else. */
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
      const isWanted = (line: string) => texts.every((text) => line.includes(text));
      const found = lines.find(isWanted);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const listener = (line: string) => {
          if (!isWanted(line)) return;
          listeners.delete(listener);
          resolve(line);
        };
        listeners.add(listener);
        ended.then((code) =>
          reject(new Error(`The process ended with ${code} before it wrote ${texts.join(', ')}:\n${lines.slice(-20).join('\n')}`)),
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
