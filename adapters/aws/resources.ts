/**
 * What the AWS adapters need to exist: keys, index, expiry attribute, redrive. Plain data, so that infra/ deploys and
 * test/localstack creates from one definition. Names are given by whoever creates them.
 */

/** Rows of builds, their orders and the queue's ledger (`build-table.ts`, `queue-ledger.ts`). On demand, point-in-time recovery. */
export const BUILD_TABLE = {
  /** The request hash; `queue` for the ledger. */
  hashKey: 'hash',
  /** `build`, `order#<ticket>`, `ledger`. */
  rangeKey: 'part',
  keyTypes: { hash: 'S', part: 'S', list: 'S', due: 'S' },
  /** Epoch seconds. A backstop, a week after the sweep should have removed the row. */
  ttlAttribute: 'ttl',
  /** Sparse: holds the rows a sweep looks for, by list and time (`sweep-lists.ts`). */
  sweepIndex: {
    name: 'sweep',
    hashKey: 'list',
    rangeKey: 'due',
    /** Beside the keys. Nothing that a build changes while it stays in its list: every change of one is another write unit. */
    projection: ['ticket'],
  },
} as const;

/** What is counted (`statistics.ts`). On demand, point-in-time recovery. No index. */
export const STATISTICS_TABLE = {
  /** What kind of item, and of which day. */
  hashKey: 'part',
  rangeKey: 'at',
  keyTypes: { part: 'S', at: 'S' },
  /** Epoch seconds. */
  ttlAttribute: 'ttl',
} as const;

export const BUILD_QUEUE = {
  /** What a receive does not say otherwise. */
  visibilityTimeoutSeconds: 60,
  receiveWaitSeconds: 10,
  retentionSeconds: 14 * 86_400,
  /**
   * A backstop that no build should meet: the runner itself gives up after three attempts, and buries the message with its reason.
   * Hand-backs are deliveries too, and so are those while the table is away; a build that is still to be done survives many of them.
   */
  maxReceiveCount: 100,
} as const;

export const DEAD_LETTER_QUEUE = { retentionSeconds: 14 * 86_400 } as const;

export const ARTIFACT_BUCKET = {
  /** Parts of uploads whose process died are paid for until they go. */
  abortIncompleteUploadsAfterDays: 1,
  /** Where records (`record-store.ts`) lie; everything else in the bucket is an artefact. */
  recordPrefix: 'records/',
} as const;
