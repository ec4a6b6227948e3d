import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TOOL_PATH } from '../sandbox/sandbox.ts';

const run = promisify(execFile);

/** Runs a program of the host on our own behalf (never on a build's), argv without a shell. Rejects unless it exits with 0. */
export async function runTool(
  file: string,
  args: readonly string[],
  { cwd, signal, uid }: { cwd: string; signal: AbortSignal; uid?: number },
): Promise<string> {
  try {
    const { stdout } = await run(file, [...args], {
      cwd,
      signal,
      env: { PATH: TOOL_PATH, LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return stdout;
  } catch (error) {
    // Programs say it in words; ours goes by the code.
    if (error instanceof Error && 'stderr' in error && String(error.stderr).includes('No space left on device'))
      throw Object.assign(new Error(`${file}: no space left on device`, { cause: error }), { code: 'ENOSPC' });
    throw error;
  }
}
