/** Headers that belong to one connection (RFC 9110 §7.6.1). The gateway passes them on in neither direction. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Request headers that the gateway sets itself, or that are meant for it. */
const NOT_REQUESTED = new Set(['host', 'expect', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']);

export interface Asker {
  readonly address: string;
  readonly host: string | undefined;
  readonly correlationId: string;
}

/** The headers of a request as a service gets them. */
export function requestHeaders(given: Headers, { address, host, correlationId }: Asker): Record<string, string> {
  const ofConnection = namesIn(given.get('connection'));
  const passed: Record<string, string> = {};
  for (const [name, value] of given) if (!HOP_BY_HOP.has(name) && !NOT_REQUESTED.has(name) && !ofConnection.has(name)) passed[name] = value;
  return {
    ...passed,
    'x-correlation-id': correlationId,
    'x-forwarded-for': address,
    ...(host !== undefined && { 'x-forwarded-host': host }),
  };
}

/**
 * The headers of a service's answer as the client gets them, repeated ones too, without those of CORS: the one policy
 * is the gateway's.
 */
export function responseHeaders(raw: readonly string[]): Headers {
  const pairs = Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]?.toLowerCase() ?? '', raw[2 * i + 1] ?? ''] as const);
  const ofConnection = namesIn(pairs.find(([name]) => name === 'connection')?.[1] ?? null);
  const headers = new Headers();
  for (const [name, value] of pairs)
    if (!HOP_BY_HOP.has(name) && !ofConnection.has(name) && !name.startsWith('access-control-')) headers.append(name, value);
  return headers;
}

const namesIn = (connection: string | null) =>
  new Set(
    (connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
