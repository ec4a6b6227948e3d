import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, type HttpServer, startHttpServer } from '#test/support/http-server.ts';
import { ecsTaskProtection } from './task-protection.ts';

type Answer = readonly [status: number, body: string];

const ARN = 'arn:aws:ecs:us-west-2:111122223333:task/1234567890abcdef0';

/**
 * The agent's answers as AWS documents them:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
const granted = (isEnabled: boolean): Answer => [
  200,
  JSON.stringify({
    protection: { ExpirationDate: isEnabled ? '2026-11-06T02:29:16Z' : null, ProtectionEnabled: isEnabled, TaskArn: ARN },
  }),
];
const failure = (Reason: string): Answer => [200, JSON.stringify({ failure: { Arn: ARN, Detail: null, Reason } })];
const error = (status: number, Code: string, Message: string): Answer => [
  status,
  JSON.stringify({ requestID: '12345-abc', error: { Arn: ARN, Code, Message } }),
];

describe('ecsTaskProtection', () => {
  let server: HttpServer;
  let asked: { method: string | undefined; url: string | undefined; body: { ProtectionEnabled: boolean } }[];
  /** The first answers of the agent. When they are used up, it grants every request. */
  let answers: Answer[];
  let troubles: unknown[];
  let heard: () => void;

  beforeEach(async () => {
    [asked, answers, troubles, heard] = [[], [], [], () => undefined];
    server = await startHttpServer(async (request, response) => {
      const body = JSON.parse((await bodyOf(request)).toString());
      asked.push({ method: request.method, url: request.url, body });
      const [status, answer] = answers.shift() ?? granted(body.ProtectionEnabled);
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(answer);
      heard();
    });
  });
  afterEach(() => server.close());

  const protection = (pausesMs: readonly number[] = [1, 1]) =>
    ecsTaskProtection({
      agentUri: `${server.url}/api/0`,
      minutes: 20,
      pausesMs,
      onError: (trouble) => {
        troubles.push(trouble);
        heard();
      },
    });
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      heard = () => isSo() && resolve();
      heard();
    });
  const on = { method: 'PUT', url: '/api/0/task-protection/v1/state', body: { ProtectionEnabled: true, ExpiresInMinutes: 20 } };
  const off = { ...on, body: { ProtectionEnabled: false } };

  it('protects for each build, releases when the last one ends, and sends its requests in that order', async () => {
    const task = protection();
    task.begin('a');
    task.begin('b');
    task.end('a');
    task.end('a');
    task.end('b');
    task.begin('c');
    await until(() => asked.length === 4);
    expect(asked).toEqual([on, on, off, on]);
    expect(troubles).toEqual([]);
  });

  it.each([
    ['a failure with status 200', failure('TASK_NOT_VALID'), 'TASK_NOT_VALID'],
    ['another', failure('DEPLOYMENT_BLOCKED'), 'DEPLOYMENT_BLOCKED'],
    ['protection that is off', granted(false), '"ProtectionEnabled":false'],
    ['protection without a word whether it is on', [200, '{"protection":{}}'], '{"protection":{}}'],
    ['nothing', [200, ''], '200'],
    ['no JSON', [200, '<html>'], '<html>'],
    ['JSON that is not an object', [200, 'null'], 'null'],
    ['a missing right', error(400, 'AccessDeniedException', 'not authorized'), 'AccessDeniedException'],
    ['too many requests', error(400, 'ThrottlingException', 'Rate exceeded'), 'ThrottlingException'],
    ['ECS out of reach', error(504, 'RequestCanceled', 'Timed out calling Amazon ECS Task Protection API'), 'RequestCanceled'],
  ] as const)('treats %s as a refusal, reports the reason, and asks once more', async (_, answer, reason) => {
    answers.push(answer);
    const task = protection();
    task.begin('a');
    await until(() => asked.length === 2);
    task.end('a');
    await until(() => asked.length === 3);
    expect(asked).toEqual([on, on, off]);
    expect(troubles.map(String)).toEqual([expect.stringContaining(reason)]);
  });

  it('gives up after several refusals, and asks again for the next build', async () => {
    answers.push(...Array.from({ length: 3 }, () => failure('TASK_NOT_VALID')));
    const task = protection([1, 1]);
    task.begin('a');
    await until(() => troubles.length === 3);
    task.begin('b');
    await until(() => asked.length === 4);
    task.end('a');
    task.end('b');
    await until(() => asked.length === 5);
    expect(asked).toEqual([on, on, on, on, off]);
    expect(troubles.length).toBe(3);
  });

  it('drops a request that is out of date: the end of a build releases the task without waiting', async () => {
    answers.push(failure('TASK_NOT_VALID'));
    const task = protection([3_600_000]);
    task.begin('a');
    await until(() => troubles.length === 1);
    task.end('a');
    await until(() => asked.length === 2);
    expect(asked).toEqual([on, off]);
  });

  it('goes on when no agent answers', async () => {
    const task = protection();
    await server.close();
    task.begin('a');
    await until(() => troubles.length === 3);
    expect(asked).toEqual([]);
  });
});
