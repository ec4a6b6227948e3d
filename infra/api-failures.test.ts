import { describe, expect, it } from 'vitest';
import { matchesLogPattern } from '#test/support/log-pattern.ts';
import { ACCESS_LOG_FORMAT } from './access-log-format.ts';
import { API_FAILURE_PATTERN } from './api-failures.ts';

/** A line of the API's log: variables by what stands behind `$context.`; those without a value are `-`, as API Gateway writes them. */
const line = (context: Readonly<Record<string, string>>) =>
  JSON.parse(ACCESS_LOG_FORMAT.replaceAll(/\$context\.([\w.]+)/g, (_, name: string) => context[name] ?? '-'));

/** What a function answered, and Lambda beneath it. */
const answered = (status: string) => ({ status, 'integration.status': status, 'integration.integrationStatus': '200' });

describe('what is counted as a failure of the API', () => {
  it.each([
    ['an answer', answered('200')],
    ['a refusal', answered('422')],
    ['a failed build, which is 500 by contract', answered('500')],
    ['upstream that is away', answered('503')],
    ['a request that API Gateway refuses by itself', { status: '413' }],
    ['too many requests for API Gateway', { status: '429' }],
  ])('not %s', (_, context: Readonly<Record<string, string>>) => {
    expect(matchesLogPattern(API_FAILURE_PATTERN, line(context))).toBe(false);
  });

  const crash = 'The Lambda function returned the following error: RequestId: 1 Error: Runtime exited with error: signal: killed.';
  const denied = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration.";
  it.each([
    ['a function that broke', { status: '500', 'integration.integrationStatus': '200', 'integration.error': crash }],
    ['a function that broke, told with the status of Lambda', { ...answered('500'), 'integration.error': crash }],
    ['an answer that is none', { status: '502', 'integration.status': '200', 'integration.integrationStatus': '200' }],
    ['a function that may not be called', { status: '500', 'integration.error': denied }],
    ['Lambda that takes no more', { status: '503', 'integration.status': '429', 'integration.integrationStatus': '429' }],
    ['no answer in time', { status: '504' }],
    ['API Gateway that fails by itself', { status: '500' }],
  ])('%s', (_, context: Readonly<Record<string, string>>) => {
    expect(matchesLogPattern(API_FAILURE_PATTERN, line(context))).toBe(true);
  });
});
