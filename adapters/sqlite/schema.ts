/**
 * The steps that make the schema. `PRAGMA user_version` counts the steps that a file has had; `openSqlite` applies the
 * rest. A published step is never edited: a change is a new step at the end.
 *
 * `builds.body` is the build as JSON without its ticket. SQLite derives the other columns from it or checks them
 * against it, so they cannot disagree with it. `state` is checked and not derived, because an index over a derived
 * column never covers a query. `marker` is what `from` has to match (BuildTable in core/build/ports.ts). `client` and
 * `ticket` are stored only in their columns.
 *
 * Every index except the primary keys is partial: finished builds, by far the most, are only in the indexes that find
 * ended builds. The indexes for counts contain `state`, so that a count reads nothing else.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE builds (
    hash TEXT NOT NULL PRIMARY KEY,
    ticket INTEGER NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = body ->> '$.state'),
    marker TEXT NOT NULL AS (coalesce(body ->> '$.lease.owner', body ->> '$.finishedAt', body ->> '$.queuedAt')) STORED,
    queued_at TEXT AS (body ->> '$.queuedAt') STORED,
    sent_at TEXT AS (body ->> '$.sentAt') STORED,
    lease_ends_at TEXT AS (body ->> '$.lease.expiresAt') STORED,
    expires_at TEXT AS (body ->> '$.expiresAt') STORED
  ) STRICT, WITHOUT ROWID;

  CREATE UNIQUE INDEX builds_waiting ON builds (ticket, state) WHERE state = 'queued';
  CREATE INDEX builds_running ON builds (state) WHERE state = 'building';
  CREATE INDEX builds_unsent ON builds (queued_at) WHERE state = 'queued' AND sent_at IS NULL;
  CREATE INDEX builds_sent ON builds (sent_at) WHERE state = 'queued' AND sent_at IS NOT NULL;
  CREATE INDEX builds_leased ON builds (lease_ends_at) WHERE lease_ends_at IS NOT NULL;
  CREATE INDEX builds_expiry ON builds (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE build_orders (
    hash TEXT NOT NULL PRIMARY KEY REFERENCES builds (hash) ON DELETE CASCADE,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tickets (last INTEGER NOT NULL) STRICT;
  INSERT INTO tickets (last) VALUES (0);

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    receipt TEXT
  ) STRICT;
  CREATE UNIQUE INDEX messages_received ON messages (receipt) WHERE receipt IS NOT NULL;

  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    reason TEXT NOT NULL,
    buried_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE records (
    key TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Statistics: sums per hour; sums per day and name; which builds have been counted; failures that may be shown.
  `
  CREATE TABLE statistics_hours (
    hour TEXT NOT NULL PRIMARY KEY,
    hits INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    successes INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    build_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE statistics_days (
    kind TEXT NOT NULL,
    day TEXT NOT NULL,
    branch TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, day, branch, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE counted_builds (
    hash TEXT NOT NULL,
    enqueued_at TEXT NOT NULL,
    is_ended INTEGER NOT NULL,
    PRIMARY KEY (hash, enqueued_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counted_builds_open ON counted_builds (enqueued_at) WHERE is_ended = 0;
  CREATE INDEX counted_builds_ended ON counted_builds (enqueued_at) WHERE is_ended = 1;

  CREATE TABLE build_errors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    profile TEXT NOT NULL,
    message TEXT NOT NULL
  ) STRICT;
  `,
  // The index that finds the build which has waited longest.
  `CREATE INDEX builds_queued ON builds (queued_at) WHERE state = 'queued';`,
  // The client of a build that waits or is being built, as a keyed hash. It is removed when the build ends.
  `
  ALTER TABLE builds ADD COLUMN client TEXT;
  CREATE INDEX builds_of_clients ON builds (client, state) WHERE state IN ('queued', 'building');
  `,
  // `visible_at` becomes a time of the machine's monotonic clock since the start that `boot` names
  // (`machine-clock.ts`). Messages of earlier versions, which have a time of day there, get an empty `boot` and are
  // visible. `builds_ended` finds builds whose end lies in the future, because a clock was set back since.
  `
  ALTER TABLE messages ADD COLUMN boot TEXT NOT NULL DEFAULT '';
  CREATE INDEX builds_ended ON builds (body ->> '$.finishedAt') WHERE expires_at IS NOT NULL;
  `,
];
