import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { World } from '../world.ts';

/**
 * The attempts whose objects may be left for the backstop (a rule of the bucket, `standalone/remove-unreferenced.ts`):
 * a call that was to store or remove them met a fault, or the process that made them died.
 */
export interface LeftoverExcuses {
  readonly attempts: ReadonlySet<string>;
}

const ATTEMPT = /^(?:store|logs)\/([0-9a-f]{64})\//;

/** Notes every attempt that met a fault. */
export function leftoverExcuses(world: World): LeftoverExcuses {
  const attempts = new Set<string>();
  world.onCall((method, fault, [key]) => {
    if (fault === undefined || !method.startsWith('artifacts.')) return;
    const [, attempt] = ATTEMPT.exec(String(key)) ?? [];
    if (attempt !== undefined) attempts.add(attempt);
  });
  return { attempts };
}

/** Returns the objects that no row names, and that nothing excuses. */
export function orphansOf({ truth }: World, { attempts }: LeftoverExcuses): string[] {
  const rows = truth.table.rows();
  const named = new Set<string>(rows.flatMap((row) => [...(row.previousBinDirs ?? []), ...('binDir' in row && row.binDir ? [row.binDir] : [])]));
  const published = new Set<string>(rows.filter(({ state }) => state === 'done' || state === 'expiring').map(({ hash }) => artifactKeys.result(hash)));
  return [...truth.artifacts.objects.keys()].filter((key) => {
    const [, attempt] = ATTEMPT.exec(key) ?? [];
    return attempt === undefined ? !published.has(key) : !named.has(attempt) && !attempts.has(attempt);
  });
}
