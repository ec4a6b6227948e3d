/**
 * Lines of the runner's log that tell of a failure which is not the request's own: what is ours (`error`), attempts that are made
 * again, lost leases, and builds given up. CloudWatch's syntax for filters of JSON; a test reads it.
 */
export const RUNNER_FAILURE_PATTERN = `{ ${[
  '$.level = "error"',
  '$.message = "build returned to the queue"',
  '$.message = "build lost to another runner"',
  '($.message = "build failed" && $.cached IS FALSE)',
].join(' || ')} }`;
