import { answer, json } from '../answer.ts';
import { shared } from '../errors.ts';
import { queryParameter } from '../parameter.ts';
import { Chart, QueueLength, Summary, TopPackages } from '../schemas/service.ts';

const branch = queryParameter('branch', 'Only this branch.', { type: 'string', examples: ['24.10'] });
const howMany = (fallback: number, max: number) =>
  queryParameter('n', `How many at most; more than ${max} means ${max}.`, { type: 'integer', default: fallback });
const get = (operationId: string, summary: string, parameters: readonly object[], responses: object) => ({
  get: { operationId, tags: ['statistics'], summary, ...(parameters.length > 0 && { parameters }), responses },
});
const always = shared({ 503: 'Unavailable' });

/** The paths of statistics: requests and builds in figures. */
export const statisticsPaths = {
  '/api/v1/stats': get('getQueueLength', 'Length of the queue', [], {
    200: json('The number of waiting builds.', QueueLength, { idle: { queue_length: 0 } }),
    ...always,
  }),
  '/api/v1/stats/summary': get('getSummary', 'Queue and last day', [], {
    200: json('Two figures.', Summary, { summary: { queue_length: 3, builds_24h: 412 } }),
    ...always,
  }),
  '/api/v1/builds-per-day': get('getBuildsPerDay', 'Requests, cache hits and failures of the last 30 days', [], {
    200: json('A chart.', Chart, {
      days: { labels: ['2026-11-19Z', '2026-11-20Z'], datasets: [{ label: 'Requests', data: [310, 412], color: 'green' }] },
    }),
    ...always,
  }),
  '/api/v1/builds-by-version': get('getBuildsByVersion', 'Builds of the last 26 weeks by version', [branch], {
    200: json('A chart.', Chart, { weeks: { labels: ['2026-11-08Z', '2026-11-15Z'], datasets: [{ label: '24.10', data: [1207, 1398] }] } }),
    ...always,
  }),
  '/api/v1/top-packages': get('getTopPackages', 'The most requested packages of the last 30 days', [howMany(30, 100), branch], {
    200: json('Most frequent first.', TopPackages, { top: { packages: [{ name: 'luci', count: 298 }], branch: null, days: 30 } }),
    ...shared({ 422: 'Unprocessable', 503: 'Unavailable' }),
  }),
  '/api/v1/build-errors': get('getBuildErrors', 'The latest failures, without anything that identifies a client', [howMany(100, 500)], {
    200: answer(
      'Newest first.',
      {},
      {
        'text/plain': {
          schema: { type: 'string' },
          examples: {
            one: {
              value:
                'Build Errors: 1 entries\nTime range: 2026-11-20 21:57:05 to 2026-11-20 21:57:05\n\nRecent errors:\n------------------------------------------------------------\n2026-11-20 21:57:05 24.10.2:ath79/generic:8dev_carambola2 Error: Selected packages exceed device storage',
            },
          },
        },
      },
    ),
    ...shared({ 422: 'Unprocessable', 503: 'Unavailable' }),
  }),
};
