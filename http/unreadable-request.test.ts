import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jsonLog } from '#observe/log.ts';
import { httpApp, routes } from './http-app.ts';
import { jsonBody } from './json-body.ts';
import { type NodeServer, serveNode } from './serve-node.ts';
import { answerUnreadable } from './unreadable-request.ts';

const app = httpApp(
  { log: jsonLog('silent', () => undefined) },
  routes()
    .get('/thing', (c) => c.json({ ok: true }))
    .post('/thing', async (c) => c.json(await jsonBody(c, 100_000))),
);

let server: NodeServer;
beforeAll(async () => {
  server = await serveNode(app, { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

/**
 * Returns everything that the server sends until it closes the connection. Each text but the first is sent after the
 * server has answered the one before.
 */
function said(port: number, ...texts: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(texts.shift() ?? ''));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk;
      const next = texts.shift();
      if (next !== undefined) socket.write(next);
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

const ask = (...texts: string[]) => said(Number(new URL(server.url).port), ...texts);

interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

/** Returns the answers in the text, which it separates by their lengths, as a client does. */
function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
    const length = Number(headers.get('Content-Length'));
    answers.push({ status: Number(/^HTTP\/1\.1 (\d{3}) \S/.exec(first)?.[1]), headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

function expectRefusal(answer: Answer | undefined, status: number, title: string): void {
  expect(answer?.status).toBe(status);
  expect(JSON.parse(answer?.body ?? '')).toEqual({ status, title, detail: expect.stringMatching(`^${title}: .+`) });
  const { headers } = answer as Answer;
  expect(headers.get('Content-Type')).toBe('application/json');
  expect(headers.get('Cache-Control')).toBe('no-store');
  expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
  expect(headers.get('Access-Control-Expose-Headers')).toContain('X-Correlation-Id');
  expect(headers.get('X-Correlation-Id')).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  expect(headers.get('Connection')).toBe('close');
  expect(Date.parse(headers.get('Date') ?? '')).not.toBeNaN();
}

const GET = 'GET /thing HTTP/1.1\r\nHost: h\r\n\r\n';
const BAD = [400, 'Bad Request'] as const;

describe('is answered like every other error:', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n', BAD],
    ['an unknown method', 'BREW /thing HTTP/1.1\r\nHost: h\r\n\r\n', BAD],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', BAD],
    ['two lengths', 'POST /thing HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', BAD],
    ['a broken header', 'GET /thing HTTP/1.1\r\nHost: h\r\nA\x00: b\r\n\r\n', BAD],
    ['no Host', 'GET /thing HTTP/1.1\r\n\r\n', BAD],
    ['a Host that is none', 'GET /thing HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', BAD],
    ['a broken body', 'POST /thing HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n', BAD],
    ['an expectation', 'GET /thing HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n', [417, 'Expectation Failed']],
    ['a long header', `GET /thing HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, [431, 'Request Header Fields Too Large']],
    ['a long path', `GET /${'x'.repeat(200_000)} HTTP/1.1\r\nHost: h\r\n\r\n`, [431, 'Request Header Fields Too Large']],
    [
      'long chunk extensions',
      `POST /thing HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\na\r\n`,
      [413, 'Content Too Large'],
    ],
  ] as const)('%s', async (_, text, [status, title]) => {
    const answers = answersIn(await ask(text));
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], status, title);
  });

  it('an unreadable request after an answer on the same connection', async () => {
    const answers = answersIn(await ask(GET, 'hello\r\n\r\n'));
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expectRefusal(answers[1], ...BAD);
  });

  it('with the correlation id that the client sent, if it can be read', async () => {
    for (const text of ['', 'Host: h\r\nExpect: tea\r\n'])
      expect(answersIn(await ask(`GET /thing HTTP/1.1\r\nX-Correlation-Id: mine\r\n${text}\r\n`))[0]?.headers.get('X-Correlation-Id')).toBe(
        'mine',
      );
  });
});

describe('is served:', () => {
  it.each([
    ['HTTP/1.0 without Host', 'GET /thing HTTP/1.0\r\n\r\n'],
    ['HTTP/1.1', 'GET /thing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'],
    ['100-continue', 'POST /thing HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}'],
  ])('%s', async (_, text) => {
    expect((await ask(text)).split('\r\n')).toContain('HTTP/1.1 200 OK');
  });
});

describe('on a server of its own', () => {
  let own: Server;
  afterEach(() => new Promise((resolve) => own.close(resolve)));

  async function serve(listener: RequestListener): Promise<number> {
    own = createServer({ requireHostHeader: false, connectionsCheckingInterval: 20 });
    own.headersTimeout = 50;
    own.requestTimeout = 100;
    own.on('request', answerUnreadable(own, listener));
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    return (own.address() as AddressInfo).port;
  }

  it('headers and bodies that do not arrive are answered with 408', async () => {
    const port = await serve(() => undefined);
    for (const text of ['GET / HTTP/1.1\r\nHost: h\r\n', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{'])
      expectRefusal(answersIn(await said(port, text))[0], 408, 'Request Timeout');
  });

  it('an error is never written into an answer in progress or sent as the answer to another request', async () => {
    const broken = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n';
    const begun = await serve((_, outgoing) => void outgoing.writeHead(200, { 'Content-Length': 100 }).write('begun'));
    expect(await said(begun, broken)).not.toContain('HTTP/1.1 400');
    await new Promise((resolve) => own.close(resolve));

    const waiting = await serve(() => undefined);
    expect(await said(waiting, 'GET / HTTP/1.1\r\nHost: h\r\n\r\nhello\r\n\r\n')).toBe('');
  });

  it('the socket of a client that hangs up is closed', async () => {
    const port = await serve(() => undefined);
    const closed = new Promise<void>((resolve) => own.once('connection', (socket) => socket.once('close', () => resolve())));
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n', () => socket.resetAndDestroy()));
    await closed;
  });
});
