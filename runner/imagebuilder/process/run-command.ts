import { type ChildProcess, spawn } from 'node:child_process';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { collectedBytes } from '#lib/collected-bytes.ts';
import { type CommandTraits, processesOf } from '#runner/processes/command-processes.ts';
import { endProcesses } from '#runner/processes/end-processes.ts';
import { lookRepeatedly } from '#runner/processes/look-repeatedly.ts';
import { processFacts } from '#runner/processes/process-table.ts';
import { watchMemory } from '#runner/processes/watch-memory.ts';
import { withheldOutput } from '#runner/processes/withheld-output.ts';
import type { Cgroup } from '../sandbox/cgroups.ts';
import type { ConfinedCommand } from '../sandbox/sandbox.ts';

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The limit on stdout and stderr together. A command that prints more is ended. */
  readonly maxOutputBytes: number;
  /** Whether the command keeps output in files until a part of its work is done. Such output counts, too. */
  readonly withholdsOutput?: boolean;
  /** Called when the command runs, with the traits of its processes. */
  readonly onStarted?: (traits: CommandTraits) => void;
  /** Called with all output as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface CommandResult {
  /**
   * The reason why the command ended: by itself, or because it took too long, took too much memory, printed too much,
   * or was aborted.
   */
  readonly end: 'exit' | 'timeout' | 'memory' | 'output' | 'abort';
  /** The exit code; `null` when a signal ended the command. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** The time after the end of a command in which its last output is read. */
const DRAIN_MS = 2_000;

/**
 * The interval at which a cgroup is asked whether its memory ran out. Version 1 ends only one process of it, and the
 * others continue.
 */
const ASK_CGROUP_MS = 500;

/** The interval at which the output that a command withholds is looked at. */
const LOOK_AT_OUTPUT_MS = 1_000;

let commands = 0;

/**
 * Runs one command of a build, with argv and no shell, in a process group of its own. It settles only when no process
 * of the command is left, including children that changed group, whatever the reason for the end. It rejects
 * with an `InfrastructureFailure` if the command could not be started, and with the system's error if its processes
 * could not be looked for.
 */
export async function runCommand(command: ConfinedCommand, options: RunOptions): Promise<CommandResult> {
  const { cgroups, bytes } = command.memory;
  // Without a cgroup the memory is watched.
  const cgroup = await cgroups?.create(`${command.marker}.${process.pid}-${commands++}`, bytes).catch(() => undefined);
  try {
    return await runIn(cgroup, command, options);
  } finally {
    await cgroup?.end();
    await cgroup?.remove().catch(() => undefined);
  }
}

async function runIn(cgroup: Cgroup | undefined, command: ConfinedCommand, options: RunOptions): Promise<CommandResult> {
  // No await may stand between this and the listener: a signal that aborts in between would go unnoticed.
  if (options.signal.aborted) return { end: 'abort', exitCode: null, stdout: '', stderr: '', durationMs: 0 };
  const started = performance.now();
  const [file = command.file, ...args] = [...(cgroup?.enter ?? []), command.file, ...command.args];
  const child: ChildProcess = spawn(file, args, { cwd: command.cwd, env: command.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const notStarted = startFailure(child);
  const { stdout, stderr } = child;
  // Node makes no streams for a process that did not start because too many files are open.
  if (!stdout || !stderr) return notStarted;
  const traits = traitsOf(child, command);
  if (traits !== undefined) options.onStarted?.(traits);
  const output = { stdout: collectedBytes(), stderr: collectedBytes() };
  let bytes = 0;
  let end: CommandResult['end'] = 'exit';
  let ending: Promise<unknown> | undefined;
  let draining: NodeJS.Timeout | undefined;

  const stop = (reason: CommandResult['end']): void => {
    if (reason !== 'exit' && ending === undefined) end = reason;
    if (traits === undefined) return;
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (ending !== undefined) return;
    ending = endProcesses(traits, isOver).then(() => cgroup?.end());
    // It is awaited when the command is over; an error must not go unhandled until then.
    ending.catch(() => undefined);
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
  const onExceeded = () => stop('memory');
  const stopWatching =
    cgroup !== undefined
      ? askCgroup(cgroup, onExceeded)
      : traits === undefined
        ? () => undefined
        : watchMemory(traits, command.memory.bytes, onExceeded);
  const stopLooking =
    options.withholdsOutput && traits !== undefined
      ? lookRepeatedly(
          LOOK_AT_OUTPUT_MS,
          async () => bytes + withheldOutput(await processesOf(traits)) >= options.maxOutputBytes,
          () => stop('output'),
        )
      : () => undefined;
  options.signal.addEventListener('abort', onAbort);
  stdout.on('data', take('stdout'));
  stderr.on('data', take('stderr'));

  try {
    const closed = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
      child.once('exit', () => {
        stop('exit');
        // A process that cannot be found (level `plain`) could otherwise keep the pipes open forever.
        const drain = () => {
          draining = setTimeout(() => {
            stdout.destroy();
            stderr.destroy();
          }, DRAIN_MS);
        };
        ending?.then(drain, drain);
      });
    });
    const exitCode = await Promise.race([closed, notStarted]);
    await ending;
    return {
      end: end === 'exit' && (await cgroup?.ranOut()) ? 'memory' : end,
      exitCode,
      stdout: output.stdout.bytes().toString('utf8'),
      stderr: output.stderr.bytes().toString('utf8'),
      durationMs: performance.now() - started,
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(draining);
    stopWatching();
    stopLooking();
    options.signal.removeEventListener('abort', onAbort);
  }
}

/** Rejects if the command does not start, and never settles if it does. */
function startFailure(child: ChildProcess): Promise<never> {
  const failure = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) => reject(new InfrastructureFailure(`A command could not be started: ${cause.message}`, { cause })));
  });
  failure.catch(() => undefined);
  return failure;
}

/**
 * Returns the traits of a command, or `undefined` when it did not start. Call it before anything else happens: only
 * then does the child's process id certainly belong to it.
 */
function traitsOf({ pid: leader }: ChildProcess, { hasPidNamespace, uid, marker }: ConfinedCommand): CommandTraits | undefined {
  if (leader === undefined) return undefined;
  return { leader, startedAt: processFacts(leader)?.startedAt ?? Number.POSITIVE_INFINITY, hasPidNamespace, uid, marker };
}

function askCgroup(cgroup: Cgroup, onExceeded: () => void): () => void {
  const timer = setInterval(async () => {
    if (await cgroup.ranOut()) onExceeded();
  }, ASK_CGROUP_MS);
  return () => clearInterval(timer);
}
