import { type Asked, CHECKS, type Subject } from './checks.ts';

export interface Finding {
  readonly name: string;
  /** The reason why the check failed; absent when it passed. */
  readonly failure?: string;
}

export interface RunOptions extends Partial<Omit<Asked, 'url'>> {
  /** Whether the server also has to build an image. */
  readonly builds?: boolean;
  readonly onFinding?: (finding: Finding) => void;
}

/** Runs all checks against a server. */
export async function runChecks(url: string, { subject, builds = false, patienceMs = 900_000, onFinding }: RunOptions = {}) {
  const asked = { url, patienceMs, subject: subject ?? (await latestOf(url)) };
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    if (check.builds && !builds) continue;
    const failure = await check.run(asked).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const finding = { name: check.name, ...(failure !== undefined && { failure }) };
    onFinding?.(finding);
    findings.push(finding);
  }
  return findings;
}

/** A request for the latest release and a device that every release supports. */
async function latestOf(url: string): Promise<Subject> {
  const response = await fetch(`${url}/json/v1/latest.json`).catch((cause) => {
    throw new Error(`${url} cannot be reached`, { cause });
  });
  const { latest } = (await response.json().catch(() => ({}))) as { latest?: string[] };
  if (latest?.[0] === undefined) throw new Error(`${url} does not say which releases there are: give --version, --target and --profile`);
  return { version: latest[0], target: 'x86/64', profile: 'generic' };
}
