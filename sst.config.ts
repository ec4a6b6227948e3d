/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app: ({ stage }) => ({
    name: 'asu',
    home: 'aws',
    // SST refuses to remove the production stage, and its tables and bucket stay in any case.
    removal: stage === 'production' ? 'retain' : 'remove',
    protect: stage === 'production',
  }),
  run: async () => {
    const { router } = await import('./infra/router.ts');
    const { runner } = await import('./infra/runner.ts');
    const { bucket } = await import('./infra/bucket.ts');
    const { builds, statistics } = await import('./infra/table.ts');
    const { queue, deadLetters } = await import('./infra/queue.ts');
    await import('./infra/scaling.ts');
    await import('./infra/maintenance.ts');
    await import('./infra/alarms.ts');
    return {
      url: $output(router.domainUrl).apply((domain) => domain ?? router.url),
      bucket: bucket.name,
      table: builds.name,
      statistics: statistics.name,
      queue: queue.url,
      deadLetters: deadLetters.url,
      runner: runner.nodes.service.name,
    };
  },
});
