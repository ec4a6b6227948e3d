import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from './global-setup.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The parts of Schemathesis' JSON report that tests read. */
export interface FuzzReport {
  readonly complete: boolean;
  readonly exit_code: number;
  readonly operations: { readonly total: number; readonly tested: number };
  readonly test_cases: { readonly generated: number; readonly with_failures: number; readonly errored: number };
  readonly failures: readonly unknown[];
  readonly errors: readonly unknown[];
  readonly warnings: Readonly<Record<string, readonly unknown[]>>;
  /** The results by operation and phase. */
  readonly valid_rates: Readonly<Record<string, Readonly<Record<string, { readonly accepted: number }>>>>;
}

export interface FuzzOptions {
  readonly seed: number;
  /** The most cases for each operation and phase. */
  readonly maxExamples: number;
  /** The checks to leave out, by Schemathesis' names. */
  readonly without?: readonly string[];
}

/** Fuzzes the server from the document it serves. Returns Schemathesis' report and its output, which has a curl line per finding. */
export async function runSchemathesis(
  url: string,
  { seed, maxExamples, without = [] }: FuzzOptions,
): Promise<{ report: FuzzReport; output: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-schemathesis-'));
  const path = join(directory, 'report.json');
  // One worker: the order of requests is the same each time, and CPython 3.11 cannot parse in threads (gh-106905).
  const options = [
    '--workers=1',
    `--seed=${seed}`,
    `--max-examples=${maxExamples}`,
    '--max-redirects=0',
    '--continue-on-failure',
    '--no-color',
    ...(without.length > 0 ? [`--exclude-checks=${without.join(',')}`] : []),
  ];
  try {
    const output = await new Promise<string>((resolve) => {
      execFile(
        join(environment, 'bin/st'),
        [
          '--config-file',
          join(here, 'schemathesis.toml'),
          'run',
          `${url}/api/v1/openapi.json`,
          ...options,
          '--report=json',
          `--report-json-path=${path}`,
        ],
        {
          cwd: directory,
          env: { PATH: '/usr/bin:/bin', SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
          maxBuffer: 256 * 1024 * 1024,
        },
        // The report has the exit code as well.
        (_, stdout, stderr) => resolve(stdout + stderr),
      );
    });
    const report = await readFile(path, 'utf8').catch((cause) => {
      throw new Error(`Schemathesis has left no report:\n${output}`, { cause });
    });
    return { report: JSON.parse(report), output };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
