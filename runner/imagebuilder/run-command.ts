import { spawn } from 'node:child_process';
import { collectedOutput } from './collected-output.ts';
import { endProcesses } from './end-processes.ts';
import { processFacts } from './process-table.ts';
import type { ConfinedCommand } from './sandbox/sandbox.ts';

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Of stdout and stderr together; more ends the command. */
  readonly maxOutputBytes: number;
  /** Sees all output as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface CommandResult {
  /** Why it is over: by itself, or ended for taking too long, for printing too much, or because it was told to stop. */
  readonly end: 'exit' | 'timeout' | 'output' | 'abort';
  /** `null`: ended by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** What a command printed last is read within this time after its end. */
const DRAIN_MS = 2_000;

/**
 * Runs one command of a build, argv without a shell, in a process group of its own. Settles only when no process of it
 * is left, whatever the reason, children that changed group included. Rejects only if it could not be started.
 */
export async function runCommand(command: ConfinedCommand, options: RunOptions): Promise<CommandResult> {
  const started = performance.now();
  if (options.signal.aborted) return { end: 'abort', exitCode: null, stdout: '', stderr: '', durationMs: 0 };

  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const startedAt = child.pid === undefined ? undefined : processFacts(child.pid)?.startedAt;
  const output = { stdout: collectedOutput(), stderr: collectedOutput() };
  let bytes = 0;
  let end: CommandResult['end'] = 'exit';
  let ending: Promise<void> | undefined;
  let draining: NodeJS.Timeout | undefined;

  const stop = (reason: CommandResult['end']): void => {
    if (reason !== 'exit' && ending === undefined) end = reason;
    if (child.pid === undefined) return;
    const { hasPidNamespace, uid, marker } = command;
    const traits = { leader: child.pid, startedAt: startedAt ?? Number.POSITIVE_INFINITY, hasPidNamespace, uid, marker };
    ending ??= endProcesses(traits, child.exitCode !== null || child.signalCode !== null);
  };
  const take = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    if (bytes >= options.maxOutputBytes) return;
    const kept = chunk.subarray(0, options.maxOutputBytes - bytes);
    bytes += chunk.length;
    output[stream].add(kept);
    options.onOutput?.(kept);
    if (bytes >= options.maxOutputBytes) stop('output');
  };
  const onAbort = () => stop('abort');
  const timer = setTimeout(() => stop('timeout'), options.timeoutMs);
  options.signal.addEventListener('abort', onAbort);
  child.stdout.on('data', take('stdout'));
  child.stderr.on('data', take('stderr'));

  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', () => {
        stop('exit');
        // A process that could not be found (level `plain`) would keep the pipes open for as long as it likes.
        ending?.then(() => {
          draining = setTimeout(() => {
            child.stdout.destroy();
            child.stderr.destroy();
          }, DRAIN_MS);
        });
      });
    });
    await ending;
    return {
      end,
      exitCode,
      stdout: output.stdout.text(),
      stderr: output.stderr.text(),
      durationMs: performance.now() - started,
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(draining);
    options.signal.removeEventListener('abort', onAbort);
  }
}
