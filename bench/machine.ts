import { availableParallelism, cpus, totalmem } from 'node:os';

/** Returns a description of the machine that a figure was measured on. */
export const machine = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memory_gib: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
});

/** Prints one line of results, in the form of all benchmarks. */
export const report = (name: string, figures: object) =>
  process.stdout.write(`${JSON.stringify({ bench: name, ...figures, machine: machine() })}\n`);
