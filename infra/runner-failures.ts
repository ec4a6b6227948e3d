/**
 * The filter for lines of the runner's log about failures that the request did not cause: errors of the runner
 * (`error`), retried attempts, lost leases and abandoned builds. The syntax is that of CloudWatch's JSON filters, and a
 * test checks it.
 */
export const RUNNER_FAILURE_PATTERN = `{ ${[
  '$.level = "error"',
  '$.message = "build returned to the queue"',
  '$.message = "build lost to another runner"',
  '($.message = "build failed" && $.cached IS FALSE)',
].join(' || ')} }`;
