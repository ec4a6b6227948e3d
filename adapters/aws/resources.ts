/**
 * The resources that the AWS adapters need: keys, index, expiry attribute, redrive. They are plain data, so that infra/
 * and local-aws/ create resources from one definition. The creator chooses their names.
 */

/**
 * The table of builds, their orders and the queue's ledger (`build-table.ts`, `queue-ledger.ts`). On demand, with
 * point-in-time recovery.
 */
export const BUILD_TABLE = {
  /** The attribute with the request hash, or `queue` for the ledger. */
  hashKey: 'hash',
  /** The attribute with the kind of item: `build`, `order#<ticket>`, or `ledger`. */
  rangeKey: 'part',
  keyTypes: { hash: 'S', part: 'S', list: 'S', due: 'S' },
  /**
   * The attribute with the time of expiry, in epoch seconds. A backstop: it is a week after the sweep should have
   * removed the row.
   */
  ttlAttribute: 'ttl',
  /** A sparse index of the rows that a sweep looks for, by list and time (`sweep-lists.ts`). */
  sweepIndex: {
    name: 'sweep',
    hashKey: 'list',
    rangeKey: 'due',
    /**
     * The attributes besides the keys. None of them changes while a build stays in its list, because each change would
     * cost a write unit.
     */
    projection: ['ticket'],
  },
} as const;

/** The table of statistics (`statistics.ts`). On demand, with point-in-time recovery, without an index. */
export const STATISTICS_TABLE = {
  /** The attribute with the kind of item and its day. */
  hashKey: 'part',
  rangeKey: 'at',
  keyTypes: { part: 'S', at: 'S' },
  /** The attribute with the time of expiry, in epoch seconds. */
  ttlAttribute: 'ttl',
} as const;

export const BUILD_QUEUE = {
  /** The default; each receive sets its own. */
  visibilityTimeoutSeconds: 60,
  receiveWaitSeconds: 10,
  retentionSeconds: 14 * 86_400,
  /**
   * A backstop that no build should reach: the runner itself gives up after three attempts, and buries the message with
   * its reason. Messages that a runner hands back, or receives while the table cannot be reached, count as deliveries
   * too. A build that is still to be done survives many of them.
   */
  maxReceiveCount: 100,
} as const;

export const DEAD_LETTER_QUEUE = { retentionSeconds: 14 * 86_400 } as const;

export const ARTIFACT_BUCKET = {
  /** When the parts of uploads go whose process died. Until then they cost money. */
  abortIncompleteUploadsAfterDays: 1,
  /** The prefix of records (`record-store.ts`). All other objects in the bucket are artefacts. */
  recordPrefix: 'records/',
} as const;
