import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });

/** Sends one request over a persistent connection and returns the milliseconds to the end of its answer. */
export function timeOf(url: string, body?: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { agent, method: body === undefined ? 'GET' : 'POST', headers: body === undefined ? {} : { 'Content-Type': 'application/json' } },
      (answer) => {
        answer.resume();
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(performance.now() - started) : reject(new Error(`${url} answers ${answer.statusCode}`)),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Returns figures about the times, in milliseconds with two decimals. The times need not be sorted. */
export function quantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 100) / 100;
}

/** Returns the median of times in milliseconds, as a whole number. */
export const median = (times: readonly number[]): number => Math.round(quantile(times, 0.5));
