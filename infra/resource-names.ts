import { bucket } from './bucket.ts';
import { deadLetters, queue } from './queue.ts';
import { builds, statistics } from './table.ts';

/** How functions and runner are told the names of resources: groups of `settings/function-settings.ts`. */
export const bucketName = { ARTIFACT_BUCKET: bucket.name };
export const tableName = { BUILD_TABLE: builds.name };
export const statisticsName = { STATISTICS_TABLE: statistics.name };
export const queueUrls = { BUILD_QUEUE_URL: queue.url, DEAD_LETTER_QUEUE_URL: deadLetters.url };
