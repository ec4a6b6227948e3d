import type { Build, RequestHash } from './build.ts';
import type { BuildTable } from './ports.ts';

/** Rows are small; so many finished builds are asked for at a time. */
const MAX_REMEMBERED = 10_000;

/**
 * The same table with finished builds remembered, which stay as they are until they expire: polls of them cost no read. Only for a
 * table that nobody else writes to.
 */
export function rememberDoneBuilds(table: BuildTable): BuildTable {
  const done = new Map<RequestHash, Build>();
  const forgetting = async <T>(hash: RequestHash, write: () => Promise<T>): Promise<T> => {
    done.delete(hash);
    try {
      return await write();
    } finally {
      done.delete(hash);
    }
  };
  return {
    get: async (hash) => {
      const remembered = done.get(hash);
      if (remembered !== undefined) return remembered;
      const build = await table.get(hash);
      if (build?.state === 'done') {
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
