import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TOOL_PATH } from '../sandbox/sandbox.ts';

const run = promisify(execFile);

/** The time limit. The longest copy of an ImageBuilder takes some seconds on a slow disk. */
const TIMEOUT_MS = 600_000;

/**
 * Runs a program of the host for the server itself, never for a build, with argv and no shell. Rejects unless it exits
 * with 0 within ten minutes.
 */
export async function runTool(
  file: string,
  args: readonly string[],
  { cwd, signal, uid, timeoutMs = TIMEOUT_MS }: { cwd: string; signal: AbortSignal; uid?: number; timeoutMs?: number },
): Promise<string> {
  try {
    const { stdout } = await run(file, [...args], {
      cwd,
      signal,
      timeout: timeoutMs,
      env: { PATH: TOOL_PATH, LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return stdout;
  } catch (error) {
    // Programs report a full disk in words. Our code looks at error codes.
    if (error instanceof Error && 'stderr' in error && String(error.stderr).includes('No space left on device'))
      throw Object.assign(new Error(`${file}: no space left on device`, { cause: error }), { code: 'ENOSPC' });
    if (!signal.aborted && error instanceof Error && 'killed' in error && error.killed === true)
      throw new Error(`${file} took longer than ${timeoutMs / 1000} seconds, or printed too much, and was ended`, { cause: error });
    throw error;
  }
}
