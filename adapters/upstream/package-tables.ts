import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import { MalformedFileError } from '#core/catalogue/upstream-files.ts';
import { type PackageTable, packageTable } from '#core/package-solver/index/package-table.ts';
import { bytesOfTable, tableFromBytes } from '#core/package-solver/index/table-bytes.ts';
import type { TargetTables } from '#core/package-solver/package-tables.ts';
import type { RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import type { CachedFiles, FileFormat } from './cached-files.ts';
import { PACKAGES, PACKAGES_ADB, PACKAGES_GZ, solverPackages } from './file-formats.ts';
import { gate } from './gate.ts';
import { inSlices } from './in-slices.ts';
import { packBytes, unpackBytes } from './packed-text.ts';
import { recordSlots } from './record-slots.ts';
import { singleFlight } from './single-flight.ts';

export interface PackageTablesOptions {
  readonly files: CachedFiles;
  readonly records: RecordStore;
  /** The beginning of all keys in the store. */
  readonly root: string;
  /** Called for each index of which no table could be made, for the log. */
  readonly onError: ((what: string, error: unknown) => void) | undefined;
}

/** Returns the tables of one target with its feeds, in the order in which they were read. */
export type ReadTables = (indexes: IndexDigests) => Promise<Pick<TargetTables, 'manager' | 'tables'> | undefined>;

const MANAGERS: Readonly<Record<string, readonly [manager: TargetTables['manager'], format: FileFormat<unknown>]>> = {
  Packages: ['opkg', PACKAGES],
  'Packages.gz': ['opkg', PACKAGES_GZ],
  'packages.adb': ['apk', PACKAGES_ADB],
};

/** The bytes of all tables in memory. The feeds of an architecture take 2.5 MB as bytes, and six in memory. */
const MAX_TABLE_BYTES = 16 * 1024 * 1024;
/** The greatest table: an index may have 32 MB as text, of which a table keeps a part. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Each table takes its unpacked index while it is made. Beyond so many that wait, the server is unsure of further targets. */
const TABLES_AT_ONCE = 2;
const MAX_WAITING = 64;
/** The tables of a target are held by `answered` as long as it is among so many. */
const MAX_ANSWERED = 4;
/** The weight of an entry without its table. */
const LEAST_WEIGHT = 512;

interface Remembered {
  /** Absent: the index cannot be made into a table. */
  readonly table: PackageTable | undefined;
  readonly size: number;
}

/**
 * Returns a reader of tables. It looks in memory, then in the shared store under the path of the index, then asks
 * upstream for the index. A table is that of the digest which the caller names, or there is none: an index that upstream
 * has replaced is not used. A stored table of another format counts as absent, and the new one gets a place of its own.
 */
export function packageTables({ files, records, root, onError }: PackageTablesOptions): ReadTables {
  const memory = boundedMap<Remembered>(MAX_TABLE_BYTES, ({ size }) => size + LEAST_WEIGHT);
  const slots = recordSlots(records, 'table-1');
  const flights = new Map<string, Promise<Remembered | undefined>>();
  const inTurn = gate(TABLES_AT_ONCE, MAX_WAITING);
  /** What was answered last for each target, so that equal indexes are the same object. */
  const answered = boundedMap<Pick<TargetTables, 'manager' | 'tables'>>(MAX_ANSWERED, () => 1);

  async function stored(key: string, digest: string): Promise<Remembered | undefined> {
    const packed = await slots.read(key, digest);
    if (packed === undefined) return undefined;
    const bytes = await unpackBytes(packed, MAX_BYTES);
    const table = await inSlices(tableFromBytes(bytes));
    return table && { table, size: bytes.length };
  }

  async function fetched(key: string, path: string, digest: string): Promise<Remembered | undefined> {
    const name = nameOf(path);
    const [, format] = MANAGERS[name] ?? [];
    const file = format && (await files.take(path, format, digest));
    if (file === undefined) return undefined;
    const packages = await solverPackages(name, file);
    if (packages === undefined) return { table: undefined, size: 0 };
    const table = await inSlices(packageTable(path, await inSlices(packages)));
    const bytes = bytesOfTable(table);
    await slots.write(key, digest, () => packBytes(bytes)).catch((error: unknown) => onError?.(`the table of ${path}`, error));
    return { table, size: bytes.length };
  }

  async function read(path: string, digest: string): Promise<Remembered | undefined> {
    const key = `${root}/${path}`;
    const report = (error: unknown): undefined => onError?.(`the table of ${path}`, error) as undefined;
    const found =
      (await stored(key, digest).catch(report)) ??
      (await fetched(key, path, digest).catch((error: unknown) => {
        report(error);
        return error instanceof MalformedFileError ? { table: undefined, size: 0 } : undefined;
      }));
    if (found !== undefined) memory.set(digest, found);
    return found;
  }

  return async (indexes) => {
    const entries = Object.entries(indexes);
    const managers = new Set(entries.map(([path]) => MANAGERS[nameOf(path)]?.[0]));
    const [manager] = managers;
    if (managers.size !== 1 || manager === undefined) return undefined;
    const found = await Promise.all(
      entries.map(
        async ([path, digest]) =>
          memory.get(digest) ?? (await singleFlight(flights, `${digest} ${path}`, () => inTurn(() => read(path, digest)))),
      ),
    );
    const tables = found.map((one) => one?.table).filter((table) => table !== undefined);
    if (tables.length !== entries.length) return undefined;
    const key = entries.map(([, digest]) => digest).join(' ');
    const known = answered.get(key);
    if (known?.tables.every((table, at) => table === tables[at])) return known;
    const answer = { manager, tables };
    answered.set(key, answer);
    return answer;
  };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
