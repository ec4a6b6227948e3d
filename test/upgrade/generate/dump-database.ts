import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

/** SQL that makes a database anew: schema, rows and version. */
export function dumpDatabase(db: DatabaseSync): string {
  const objects = db
    .prepare(`SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)
    .all()
    .map((row) => ({ type: String(row['type']), name: String(row['name']), sql: String(row['sql']) }));
  const tables = objects.filter(({ type }) => type === 'table').map(({ name }) => name);
  return [
    ...objects.map(({ sql }) => `${sql};`),
    ...tables.flatMap((name) => rowsOf(db, name)),
    // SQLite makes this table by itself, for AUTOINCREMENT.
    'DELETE FROM sqlite_sequence;',
    ...rowsOf(db, 'sqlite_sequence'),
    `PRAGMA user_version = ${db.prepare('PRAGMA user_version').get()?.['user_version']};`,
    '',
  ].join('\n');
}

/** One INSERT per row, without the columns that SQLite computes. */
function rowsOf(db: DatabaseSync, table: string): string[] {
  const columns = db
    .prepare(`SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0`)
    .all(table)
    .map((row) => String(row['name']));
  return db
    .prepare(`SELECT ${columns.join(', ')} FROM ${table}`)
    .all()
    .map((row) => `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => literal(row[name])).join(', ')});`);
}

function literal(value: SQLOutputValue | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'object') return `x'${Buffer.from(value).toString('hex')}'`;
  return String(value);
}
