import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { World } from '../world.ts';

/**
 * The attempts whose objects may be left for the backstop (a rule of the bucket, `standalone/remove-unreferenced.ts`): a
 * call that was to store or remove them, or that was to end the attempt, met a fault.
 */
export interface LeftoverExcuses {
  readonly attempts: ReadonlySet<string>;
}

const ATTEMPT = /^(?:store|logs)\/([0-9a-f]{64})\//;

/** Notes every attempt that met such a fault. */
export function leftoverExcuses(world: World): LeftoverExcuses {
  const attempts = new Set<string>();
  const begun: { readonly binDir: string; readonly hash: string; readonly processName: string }[] = [];
  world.onWrite(({ before, after }) => {
    if (before?.state === 'queued' && after?.state === 'building')
      begun.push({ binDir: after.binDir, hash: after.hash, processName: world.caller().processName });
  });
  world.onCall(({ method, fault, input: [first], processName: caller }) => {
    if (fault === undefined) return;
    const [, named] = ATTEMPT.exec(String(first)) ?? [];
    if (named !== undefined) attempts.add(named);
    if (!method.startsWith('builds.')) return;
    const row = (typeof first === 'object' ? first : { hash: first }) as { hash?: string; binDir?: string };
    if (row.binDir !== undefined) attempts.add(row.binDir);
    for (const { binDir, hash, processName } of begun) if (hash === row.hash && processName === caller) attempts.add(binDir);
  });
  return { attempts };
}

/** Returns the objects that no row names, and that nothing excuses. */
export function orphansOf({ truth }: World, { attempts }: LeftoverExcuses): string[] {
  const rows = truth.table.rows();
  const named = new Set<string>(
    rows.flatMap((row) => [...(row.previousBinDirs ?? []), ...('binDir' in row && row.binDir ? [row.binDir] : [])]),
  );
  const published = new Set<string>(
    rows.filter(({ state }) => state === 'done' || state === 'expiring').map(({ hash }) => artifactKeys.result(hash)),
  );
  return [...truth.artifacts.objects.keys()].filter((key) => {
    const [, attempt] = ATTEMPT.exec(key) ?? [];
    return attempt === undefined ? !published.has(key) : !named.has(attempt) && !attempts.has(attempt);
  });
}
