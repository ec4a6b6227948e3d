import type { RequestHash } from '#core/request/request-hash.ts';
import type { Build } from './build.ts';
import type { BuildTable } from './ports.ts';

/** Rows are small; so many finished builds are asked for at a time. */
const MAX_REMEMBERED = 10_000;

/**
 * The same table with finished builds remembered, which stay as they are until they expire: polls of them cost no read. Only for a
 * table that nobody else writes to.
 */
export function rememberDoneBuilds(table: BuildTable): BuildTable {
  const done = new Map<RequestHash, Build>();
  /** Counted up by every write: what was read before one is not remembered after it. */
  let writes = 0;
  const forget = (hash: RequestHash) => {
    writes += 1;
    done.delete(hash);
  };
  const forgetting = async <T>(hash: RequestHash, write: () => Promise<T>): Promise<T> => {
    forget(hash);
    try {
      return await write();
    } finally {
      forget(hash);
    }
  };
  return {
    get: async (hash, options) => {
      const remembered = done.get(hash);
      if (remembered !== undefined) return remembered;
      const before = writes;
      const build = await table.get(hash, options);
      if (build?.state === 'done' && writes === before) {
        if (done.size >= MAX_REMEMBERED) done.clear();
        done.set(hash, build);
      }
      return build;
    },
    order: table.order,
    claim: (build, ...more) => forgetting(build.hash, () => table.claim(build, ...more)),
    transition: (from, to, options) => forgetting(from.hash, () => table.transition(from, to, options)),
    remove: (from) => forgetting(from.hash, () => table.remove(from)),
  };
}
