import autocannon from 'autocannon';

// Sends one kind of request for some seconds from this process, and prints the result as one JSON line.
const [url, method, body, seconds = '8'] = process.argv.slice(2);
const result = await autocannon({
  url: url ?? '',
  method: (method ?? 'GET') as 'GET',
  ...(body && { body, headers: { 'Content-Type': 'application/json' } }),
  // The load generator replaces `[<id>]` in a body with a new text each time.
  idReplacement: body?.includes('[<id>]') ?? false,
  connections: 32,
  duration: Number(seconds),
});
process.stdout.write(
  JSON.stringify({
    requests_per_second: Math.round(result.requests.average),
    p50_ms: result.latency.p50,
    p99_ms: result.latency.p99,
    errors: result.errors + result.non2xx,
  }),
);
