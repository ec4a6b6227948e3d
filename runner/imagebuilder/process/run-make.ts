import { BuildFailure, type FailureEvidence, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { imageJobsArgument } from '#core/imagebuilder/commands.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { type CommandTraits, processesOf } from '#runner/processes/command-processes.ts';
import { heldFiles } from '#runner/processes/process-files.ts';
import { evidenceText } from '../output/evidence-text.ts';
import type { BuildPlace, Sandbox } from '../sandbox/sandbox.ts';
import { watchGrowth } from '../tree/watch-growth.ts';
import type { BuildLog } from './build-log.ts';
import { type CommandResult, runCommand } from './run-command.ts';

export interface MakeContext {
  readonly sandbox: Sandbox;
  readonly place: BuildPlace;
  /** The marker that identifies the build on this machine (`markerOf` its directory). */
  readonly marker: string;
  readonly log: BuildLog;
  readonly signal: AbortSignal;
  /** The time, by `performance.now()`, at which all make runs of the build must be over. */
  readonly deadline: number;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** The build's own directory. Everything in it counts towards `maxDiskBytes`. */
  readonly directory: string;
  /** The disk space that the build's files may take; see `watchGrowth`. */
  readonly maxDiskBytes: number;
  /** Variables in addition to those of every command of a build. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs make in the build's sandbox, without network where the sandbox can take it away, and returns its result when it
 * exited by itself, with any code. With several `imageJobs` it makes that many images at the same time: this changes
 * neither the images nor the command that a failure shows. It throws an `InfrastructureFailure` for too much time,
 * memory or output, the failure of `watchGrowth` for too much disk, and the signal's reason when the signal aborts.
 */
export async function runMake(argv: readonly string[], context: MakeContext, imageJobs = 1): Promise<CommandResult> {
  const { sandbox, place, log, signal, deadline, timeoutMs, maxOutputBytes, maxDiskBytes, directory, marker, env } = context;
  const run = imageJobs > 1 ? [...argv, imageJobsArgument(imageJobs)] : argv;
  log.line(`$ ${run.join(' ')}`);
  let traits: CommandTraits | undefined;
  const growth = watchGrowth(place.tree.startsWith(`${directory}/`) ? directory : place.tree, maxDiskBytes, {
    outside: () => sandbox.outside(place.slot),
    held: async () => (traits === undefined ? 0 : (await heldFiles(await processesOf(traits))).diskBytes),
  });
  const command = sandbox.confine(run, place, { marker, ...(env && { env }) });
  const result = await runCommand(command, {
    signal: AbortSignal.any([signal, growth.signal]),
    timeoutMs: Math.max(1, deadline - performance.now()),
    maxOutputBytes,
    withholdsOutput: imageJobs > 1,
    onStarted: (started) => {
      traits = started;
    },
    onOutput: log.output,
  }).finally(growth.stop);
  const evidence: FailureEvidence = { stdout: evidenceText(result.stdout), stderr: evidenceText(result.stderr), buildCommand: argv };
  switch (result.end) {
    case 'exit':
      return result;
    case 'abort':
      signal.throwIfAborted();
      if (growth.signal.aborted) throw withEvidence(growth.signal.reason, evidence);
      throw new InfrastructureFailure('The build was stopped', { evidence });
    case 'timeout':
      throw new InfrastructureFailure(`The build took longer than ${Math.round(timeoutMs / 1000)} seconds and was ended`, { evidence });
    case 'memory': {
      const megabytes = Math.round(command.memory.bytes / 1024 ** 2);
      throw new InfrastructureFailure(`The build took more than ${megabytes} MB of memory and was ended`, { evidence, isFinal: true });
    }
    case 'output':
      throw new InfrastructureFailure(`The build printed more than ${maxOutputBytes} bytes and was ended`, { evidence, isFinal: true });
  }
}

/** Adds what the run printed to an error that has no such evidence yet, and returns the error. */
export function withEvidence(error: unknown, evidence: FailureEvidence): unknown {
  if (error instanceof BuildFailure) return new BuildFailure(error.message, { ...evidence, ...error.evidence }, { cause: error.cause });
  if (!(error instanceof InfrastructureFailure)) return error;
  const Kind = error instanceof UpstreamChangedFailure ? UpstreamChangedFailure : InfrastructureFailure;
  return new Kind(error.message, { cause: error.cause, isFinal: error.isFinal, evidence: { ...evidence, ...error.evidence } });
}
