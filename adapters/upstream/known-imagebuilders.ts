import type { KnownImagebuilder, TargetRecord } from '#core/catalogue/catalogue.ts';
import type { Monotonic, RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { inTurn } from '#lib/in-turn.ts';
import { withTimeout } from '#lib/with-timeout.ts';

type ByTarget = Readonly<Record<string, KnownImagebuilder>>;

export interface KnownImagebuilders {
  /** Keeps what a record that was just read says of its ImageBuilder. Never rejects. */
  note(record: Pick<TargetRecord, 'versionPath' | 'target' | 'version' | 'revision' | 'imagebuilder'>): Promise<void>;
  /** Returns what is known of a version's targets. It asks the store at most once a minute, and never rejects. */
  of(versionPath: string): Promise<ByTarget>;
}

export interface KnownImagebuildersOptions {
  readonly records: RecordStore;
  readonly monotonic: Monotonic;
  /** Returns the key of the record of a version. */
  readonly keyOf: (versionPath: string) => string;
  readonly onError?: ((what: string, error: unknown) => void) | undefined;
}

/** A record of another format counts as absent. */
const FORMAT = 1;
const MEMORY_MS = 60_000;
/** What is known is a courtesy to clients: nothing waits long for it. */
const WAIT_MS = 1000;
/** How often a process tries to add to a record that others change at the same time. */
const MAX_TRIES = 5;
/** More versions than a server offers. */
const MAX_VERSIONS = 500;

/**
 * Remembers for each version, in one small record of the shared store, which targets have an ImageBuilder and of which
 * revision, as their records said when a process last read them.
 */
export function knownImagebuilders({ records, monotonic, keyOf, onError }: KnownImagebuildersOptions): KnownImagebuilders {
  const memory = boundedMap<{ readonly known: ByTarget; readonly readAt: number }>(MAX_VERSIONS, () => 1);
  const turn = inTurn();

  async function read(versionPath: string) {
    const found = await withTimeout(WAIT_MS, records.get(keyOf(versionPath)));
    const known = knownOf(found?.body);
    memory.set(versionPath, { known, readAt: monotonic() });
    return { known, tag: found?.tag };
  }

  async function add(versionPath: string, target: string, entry: KnownImagebuilder): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { known, tag } = await read(versionPath);
      if (isSame(known[target], entry)) return;
      const added = { ...known, [target]: entry };
      if (!(await records.replace(keyOf(versionPath), JSON.stringify({ format: FORMAT, targets: added }), tag))) continue;
      memory.set(versionPath, { known: added, readAt: monotonic() });
      return;
    }
  }

  return {
    async note({ versionPath, target, version, revision, imagebuilder }) {
      const entry = { version, revision, available: imagebuilder !== undefined };
      try {
        await turn(() => add(versionPath, target, entry));
      } catch (error) {
        onError?.(`the known ImageBuilders of ${versionPath}`, error);
      }
    },

    async of(versionPath) {
      const recent = memory.get(versionPath);
      if (recent !== undefined && monotonic() - recent.readAt < MEMORY_MS) return recent.known;
      try {
        return (await read(versionPath)).known;
      } catch (error) {
        onError?.(`the known ImageBuilders of ${versionPath}`, error);
        return recent?.known ?? {};
      }
    },
  };
}

const isSame = (a: KnownImagebuilder | undefined, b: KnownImagebuilder): boolean =>
  a?.version === b.version && a.revision === b.revision && a.available === b.available;

function knownOf(body: string | undefined): ByTarget {
  if (body === undefined) return {};
  try {
    const { format, targets } = JSON.parse(body) as { format: unknown; targets: ByTarget };
    return format === FORMAT && typeof targets === 'object' && targets !== null ? targets : {};
  } catch {
    return {};
  }
}
