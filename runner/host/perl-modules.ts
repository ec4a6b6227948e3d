import { runTool } from '#runner/imagebuilder/process/run-tool.ts';

/** Prints those of its arguments that perl can load. */
const PRINT_LOADABLE = 'for (@ARGV) { print "$_\\n" if eval "require $_; 1" }';

/** The time limit on perl, which takes less than a second. */
const TIMEOUT_MS = 10_000;

/**
 * Returns those of the modules that the perl at `path` can load. One process tries them all, because perl takes longer
 * to start than to load a module. The names must come from this project, because perl evaluates them.
 */
export async function loadablePerlModules(path: string, modules: readonly string[]): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const printed = await runTool(path, ['-e', PRINT_LOADABLE, '--', ...modules], { cwd: '/', signal }).catch(() => '');
  return printed.split('\n').filter((name) => modules.includes(name));
}
