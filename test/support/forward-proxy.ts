import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A real HTTP proxy on the loopback interface. */
export interface ForwardProxy {
  /** The URL without user name and password, and its parts. */
  readonly url: string;
  readonly host: string;
  /** The requests so far, `GET http://host/path` or `CONNECT host:port`, each with its credentials. */
  readonly requests: { readonly line: string; readonly credentials: string | undefined }[];
  close(): Promise<void>;
}

export interface ForwardProxyOptions {
  /** Where the proxy finds each `host:port`. The names mean nothing outside of it. */
  readonly hosts: Readonly<Record<string, string>>;
  /** `user:password`. Requests without them get 407. */
  readonly credentials?: string;
  /** `host:port` whose tunnel is never answered. */
  readonly silent?: string;
}

/** Starts an HTTP proxy that forwards requests and makes tunnels, and that alone can look up the hosts behind it. */
export async function startForwardProxy({ hosts, credentials, silent }: ForwardProxyOptions): Promise<ForwardProxy> {
  const requests: { line: string; credentials: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const note = (line: string, header: string | undefined): boolean => {
    const given = header?.startsWith('Basic ') ? Buffer.from(header.slice('Basic '.length), 'base64').toString() : undefined;
    requests.push({ line, credentials: given });
    return credentials === undefined || given === credentials;
  };
  const server = createServer((asked, answer) => {
    const isAdmitted = note(`${asked.method} ${asked.url}`, asked.headers['proxy-authorization']);
    const url = URL.parse(asked.url ?? '');
    const place = url === null ? undefined : hosts[`${url.hostname}:${url.port || 80}`];
    if (!isAdmitted) return answer.writeHead(407).end();
    if (url === null || place === undefined) return answer.writeHead(502).end();
    const { 'proxy-authorization': _, ...headers } = asked.headers;
    const [host, port] = place.split(':');
    return request({ host, port, path: url.pathname + url.search, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    })
      .on('error', () => answer.destroy())
      .end();
  });
  server.on('connect', (asked, socket: Socket) => {
    socket.on('error', () => undefined);
    const place = hosts[asked.url ?? ''];
    if (!note(`CONNECT ${asked.url}`, asked.headers['proxy-authorization'])) return socket.end('HTTP/1.1 407 Who are you\r\n\r\n');
    if (asked.url === silent) return;
    if (place === undefined) return socket.end('HTTP/1.1 502 No such host\r\n\r\n');
    const [host, port] = place.split(':');
    const beyond = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(beyond).pipe(socket);
    }).on('error', () => socket.destroy());
    return socket.on('close', () => beyond.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
