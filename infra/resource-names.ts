import { bucket } from './bucket.ts';
import { deadLetters, queue } from './queue.ts';
import { builds, statistics } from './table.ts';

// Environment variables that give the names of resources to the functions and the runner, grouped as in
// `settings/function-settings.ts`.
export const bucketName = { ARTIFACT_BUCKET: bucket.name };
export const tableName = { BUILD_TABLE: builds.name };
export const statisticsName = { STATISTICS_TABLE: statistics.name };
export const queueUrls = { BUILD_QUEUE_URL: queue.url, DEAD_LETTER_QUEUE_URL: deadLetters.url };
