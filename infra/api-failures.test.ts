import { describe, expect, it } from 'vitest';
import { matchesLogPattern } from '#test/support/log-pattern.ts';
import { ACCESS_LOG_FORMAT } from './access-log-format.ts';
import { API_FAILURE_PATTERN } from './api-failures.ts';

/**
 * Returns a line of the API's log for the variables of `$context`. API Gateway writes `-` for those without a value.
 */
const line = (context: Readonly<Record<string, string>>) =>
  JSON.parse(ACCESS_LOG_FORMAT.replaceAll(/\$context\.([\w.]+)/g, (_, name: string) => context[name] ?? '-'));

/** Returns the variables for an answer that a function gave through Lambda. */
const answered = (status: string) => ({ status, 'integration.status': status, 'integration.integrationStatus': '200' });

describe('the failure metric of the API', () => {
  it.each([
    ['an answer', answered('200')],
    ['a refusal', answered('422')],
    ['a failed build, which is 500 by contract', answered('500')],
    ['503 while upstream is away', answered('503')],
    ['a request that API Gateway refuses', { status: '413' }],
    ['too many requests for API Gateway', { status: '429' }],
  ])('does not count %s', (_, context: Readonly<Record<string, string>>) => {
    expect(matchesLogPattern(API_FAILURE_PATTERN, line(context))).toBe(false);
  });

  const crash = 'The Lambda function returned the following error: RequestId: 1 Error: Runtime exited with error: signal: killed.';
  const denied = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration.";
  it.each([
    ['a function that crashed', { status: '500', 'integration.integrationStatus': '200', 'integration.error': crash }],
    ["a function that crashed, logged with Lambda's status", { ...answered('500'), 'integration.error': crash }],
    ['an invalid answer of a function', { status: '502', 'integration.status': '200', 'integration.integrationStatus': '200' }],
    ['a function that API Gateway may not call', { status: '500', 'integration.error': denied }],
    ['a throttled function', { status: '503', 'integration.status': '429', 'integration.integrationStatus': '429' }],
    ['no answer in time', { status: '504' }],
    ['a fault of API Gateway', { status: '500' }],
  ])('counts %s', (_, context: Readonly<Record<string, string>>) => {
    expect(matchesLogPattern(API_FAILURE_PATTERN, line(context))).toBe(true);
  });
});
