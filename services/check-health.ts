/** The health check of the containers: `check-health.ts PORT` fails unless the server on this port answers. */
const { ok } = await fetch(`http://127.0.0.1:${process.argv[2] ?? 8000}/health`, { signal: AbortSignal.timeout(9_000) });
process.exitCode = ok ? 0 : 1;
