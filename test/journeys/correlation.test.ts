import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** The correlation id of one request, which every log line about it carries. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ realImages: {}, env: { ALLOW_DEFAULTS: '1' } });
});
afterAll(() => server.close());

const REQUEST = { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' };
const MESSAGES_OF_A_BUILD = [
  'request started',
  'request completed',
  'image forecast',
  'build started',
  'build step entered',
  'build said',
  'build done',
];

const linesOf = (id: string) => server.lines.map((line) => JSON.parse(line)).filter(({ correlation_id }) => correlation_id === id);

const messagesOf = (id: string) => linesOf(id).map(({ message }) => message);

async function finished(response: Response): Promise<Record<string, unknown>> {
  let answer = (await response.json()) as Record<string, unknown>;
  while (answer['status'] === 202) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = (await (await server.get(`/api/v1/build/${answer['request_hash']}`)).json()) as Record<string, unknown>;
  }
  expect(answer['detail']).toBe('done');
  return answer;
}

it('goes from the request through queue and runner into every log line and into the build log', async () => {
  const id = 'router-42.first';
  const response = await server.post('/api/v1/build', { ...REQUEST, packages: ['vim'] }, { 'X-Correlation-Id': id });
  expect(response.headers.get('X-Correlation-Id')).toBe(id);
  const { request_hash: hash, bin_dir: binDir } = await finished(response);

  // The answer comes before the runner has logged the end.
  await expect.poll(() => messagesOf(id)).toContain('build done');
  const lines = linesOf(id);
  expect([...new Set(messagesOf(id))].sort()).toEqual([...MESSAGES_OF_A_BUILD].sort());
  for (const line of lines) if (line.message !== 'request started') expect(line).toMatchObject({ request_hash: hash });
  expect(lines.find(({ message }) => message === 'request completed')).toMatchObject({ endpoint: '/api/v1/build', outcome: 'new' });

  const log = await readFile(join(server.dataDir, 'public', 'logs', String(binDir), 'build.log'), 'utf8');
  const [first] = log.split('\n');
  expect(first).toContain(`request hash ${hash}`);
  expect(first).toContain(`correlation id ${id}`);
});

it('a second request for the same build has its own id, and the hash that leads to the first', async () => {
  const body = { ...REQUEST, packages: ['tmux'] };
  const first = await server.post('/api/v1/build', body, { 'X-Correlation-Id': 'one' });
  const second = await server.post('/api/v1/build', body, { 'X-Correlation-Id': 'two' });
  expect(second.headers.get('X-Correlation-Id')).toBe('two');
  const { request_hash: hash } = await finished(first);
  const [completed, ...more] = linesOf('two').filter(({ message }) => message !== 'request started');
  expect(completed).toMatchObject({ message: 'request completed', outcome: 'joined', request_hash: hash });
  expect(more).toEqual([]);
  await expect.poll(() => messagesOf('one')).toContain('build done');
  expect(linesOf('one').find(({ message }) => message === 'build done')).toMatchObject({ request_hash: hash });
});

it('the log keeps the secrets of a private build and of a refused one', async () => {
  const secret = 'uci set wireless.key=hunter2';
  const submit = (id: string) =>
    server.post('/api/v1/build', { ...REQUEST, packages: ['nano'], defaults: secret }, { 'X-Correlation-Id': id });
  const { request_hash: hash, bin_dir: binDir } = await finished(await submit('private'));
  await submit('private-again');
  const refused = { ...REQUEST, packages: ['no-such-package'] };
  await server.post('/api/v1/build', { ...refused, defaults: secret }, { 'X-Correlation-Id': 'private-refused' });
  await server.post('/api/v1/build', refused, { 'X-Correlation-Id': 'refused' });

  expect(JSON.stringify(server.lines)).not.toContain('hunter2');
  await expect.poll(() => messagesOf('private')).toContain('build done');
  expect(JSON.stringify(linesOf('private'))).not.toMatch(/nano|x86/);
  const lines = server.lines.join('\n');
  expect(lines).not.toContain(String(hash));
  expect(lines).not.toContain(String(binDir));
  const completedOf = (id: string) => linesOf(id).find(({ message }) => message === 'request completed');
  expect(completedOf('private')).toMatchObject({ outcome: 'new' });
  expect(completedOf('private-again')).toMatchObject({ outcome: 'hit' });
  expect(completedOf('refused')).toMatchObject({ outcome: 'rejected', reason: expect.stringContaining('no-such-package') });
  expect(completedOf('private-refused')).toMatchObject({ outcome: 'rejected' });
  expect(completedOf('private-refused')).not.toHaveProperty('reason');
});
