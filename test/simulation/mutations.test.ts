import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MUTATIONS, mutated } from './mutations.ts';

/** Each mutation is noticed within so many seeds. The rarest of them needs some hundreds. */
const MOST_SEEDS = 3_000;
/** A bound for a busy machine, not an expectation. */
const TIMEOUT_MS = 1_200_000;

const root = new URL('../../', import.meta.url);
const SCRIPT = fileURLToPath(new URL('run-mutation.ts', import.meta.url));

async function runMutation(name: string): Promise<{ seed: number; broken: string | null }> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    SCRIPT,
    name,
    String(MOST_SEEDS),
  ]);
  return JSON.parse(stdout);
}

describe('the simulator', () => {
  it.each(MUTATIONS)('notices that $name', { timeout: TIMEOUT_MS }, async ({ name, breaks }) => {
    const { broken } = await runMutation(name);
    expect(breaks).toContain(broken);
  });

  it('refuses a mutation whose text the module no longer has', async () => {
    for (const mutation of MUTATIONS) {
      const source = await readFile(new URL(mutation.module, root), 'utf8');
      const changed = mutated(source, mutation);
      expect(changed).not.toBe(source);
      expect(() => mutated(changed.replaceAll(/\w/g, 'x'), mutation)).toThrow(/does not have the text/);
    }
  });
});
