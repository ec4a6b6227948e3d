import { type Answer, ask } from '#test/support/ask.ts';
import { bodyOf, type HttpServer, startHttpServer } from '#test/support/http-server.ts';

/** An answer that passes the proxy. Headers may be repeated; the proxy corrects a Content-Length that no longer fits. */
export interface Passing {
  readonly method: string;
  readonly path: string;
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** Starts a proxy between clients and a server that spoils the answers. */
export async function tamperingProxy(target: string, tamper: (passing: Passing) => void): Promise<HttpServer> {
  return startHttpServer(async (request, response) => {
    const sent = await bodyOf(request);
    const { method = '', url: path = '' } = request;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const { host: _, connection: __, 'transfer-encoding': ___, 'content-length': ____, ...kept } = headers;
    const answer: Answer = await ask(target, path, { method, headers: kept, body: sent.toString('utf8') });
    const passing: Passing = {
      method,
      path,
      status: answer.status,
      headers: answer.headerLines.filter(([name]) => !['connection', 'keep-alive', 'date', 'transfer-encoding'].includes(name)) as [
        string,
        string,
      ][],
      body: answer.bytes,
    };
    tamper(passing);
    const length = method === 'HEAD' ? undefined : String(passing.body.length);
    const lines = passing.headers.map(([name, value]) => [name, name === 'content-length' ? (length ?? value) : value]);
    response.writeHead(passing.status, lines.flat());
    response.end(method === 'HEAD' ? undefined : passing.body);
  });
}

/** Returns a change that applies to JSON bodies and leaves others alone. */
export function changeJson(passing: Passing, change: (body: Record<string, unknown>) => void): void {
  if (passing.body.length === 0) return;
  const body = JSON.parse(passing.body.toString('utf8')) as Record<string, unknown>;
  change(body);
  passing.body = Buffer.from(JSON.stringify(body));
}

export function dropHeader(passing: Passing, dropped: string): void {
  passing.headers = passing.headers.filter(([name]) => name !== dropped);
}
