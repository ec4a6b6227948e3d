/**
 * Returns the directory of unpacked real ImageBuilders, if there is one here (`ASU_BENCH_IMAGEBUILDERS`). Each is in a
 * directory of its own, and able to build on this machine.
 */
export const imagebuildersDirectory = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env['ASU_BENCH_IMAGEBUILDERS'] || undefined;
