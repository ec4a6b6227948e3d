import type { TargetRecord } from '#core/catalogue/catalogue.ts';
import type { PackageTable } from './index/package-table.ts';

/** The indexes that the package manager of a target reads, for its solver. */
export interface TargetTables {
  readonly manager: 'opkg' | 'apk';
  /** In the order in which ImageBuilder's configuration lists them. */
  readonly tables: readonly PackageTable[];
  /** How long ago upstream was last seen to have these indexes, in milliseconds. */
  readonly ageMs: number;
  /** Whether the ImageBuilder writes ABI suffixes behind words. Absent: no runner has looked yet. */
  readonly addsAbi?: boolean;
}

/** A catalogue that has the package indexes of its targets with all that a package manager looks at. */
export interface PackageTables {
  /**
   * Returns the tables of the very indexes that the record names. It returns `undefined` if any of them cannot be had:
   * upstream has moved on or does not answer, the process cannot read the index, or the target has none. It never
   * rejects.
   */
  tables(record: TargetRecord): Promise<TargetTables | undefined>;
}
