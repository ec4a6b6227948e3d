import { availableParallelism, cpus, totalmem } from 'node:os';

/** On what a figure was measured. */
export const machine = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memory_gib: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
});

/** One line of result, as every benchmark prints it. */
export const report = (name: string, figures: object) =>
  process.stdout.write(`${JSON.stringify({ bench: name, ...figures, machine: machine() })}\n`);
