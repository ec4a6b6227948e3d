import { request } from 'node:http';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body: a string is sent with its length, an array in chunks without a length, as routers do. */
  readonly body?: string | readonly string[] | undefined;
}

export interface Answer {
  readonly status: number;
  /** The headers in their order, with lower-case names, including repeated ones. */
  readonly headerLines: readonly (readonly [name: string, value: string])[];
  readonly bytes: Buffer;
  readonly text: string;
  header(name: string): string | undefined;
}

/**
 * Sends one request over its own socket and adds no header such as User-Agent or Accept-Encoding. It sends the path
 * unchanged (`..`, `//`), follows no redirect and decompresses nothing.
 */
export function ask(base: string, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const length = typeof body === 'string' ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
    const sent = request({ hostname, port, path, method, headers: { ...headers, ...length }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { rawHeaders } = response;
        const headerLines = Array.from(
          { length: rawHeaders.length / 2 },
          (_, line) => [(rawHeaders[2 * line] ?? '').toLowerCase(), rawHeaders[2 * line + 1] ?? ''] as const,
        );
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headerLines,
          bytes,
          text: bytes.toString('utf8'),
          header: (name) => headerLines.find(([key]) => key === name.toLowerCase())?.[1],
        });
      });
    });
    sent.on('error', reject);
    for (const chunk of typeof body === 'string' ? [body] : (body ?? [])) sent.write(chunk);
    sent.end();
  });
}
