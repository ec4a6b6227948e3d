import { mkdir } from 'node:fs/promises';
import { fetchThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { proxiesOf, proxyFor, shownProxy } from '#adapters/upstream/proxies.ts';
import { checkHost } from '#runner/host/check-host.ts';
import { DEFAULTS } from '#runner/imagebuilder/maker-options.ts';
import { chooseSandbox } from '#runner/imagebuilder/sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from '#runner/imagebuilder/sandbox/sandbox.ts';
import { sandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { SettingsError } from '#settings/read-settings.ts';
import { readConfig, type StandaloneConfig } from './config.ts';
import { describeHost } from './describe-host.ts';
import { describeSandbox } from './describe-sandbox.ts';

/**
 * `npm run doctor` looks at the host, its sandbox and upstream, changes nothing, and says what to do. Exit code 1:
 * builds would fail.
 */
async function main(): Promise<number> {
  const { config } = readConfig();
  await mkdir(config.dataDir, { recursive: true });
  const checks = await checkHost(config.dataDir);
  process.stdout.write(`What ImageBuilder needs of this machine:\n${describeHost(checks)}\n\n`);
  process.stdout.write(`${await sandboxState(config)}\n\n`);
  const proxy = proxyFor(new URL(config.UPSTREAM_URL), proxiesOf(config));
  const way = proxy === undefined ? 'without a proxy' : `through the proxy ${shownProxy(proxy)}`;
  process.stdout.write(`Upstream ${config.UPSTREAM_URL}, ${way}: ${await upstreamState(config)}\n`);
  return checks.some(({ ok, required }) => required && !ok) ? 1 : 0;
}

async function sandboxState({ dataDir, SANDBOX, BUILD_MEMORY_MB: totalMemoryBytes }: StandaloneConfig): Promise<string> {
  const options = { directory: dataDir, limits: { ...DEFAULT_LIMITS, totalMemoryBytes }, firstUid: DEFAULTS.firstUid };
  try {
    const sandbox = await chooseSandbox(options, SANDBOX === 'auto' ? undefined : SANDBOX);
    return describeSandbox(sandboxFacts(sandbox), totalMemoryBytes / 1024 ** 2);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function upstreamState(config: StandaloneConfig): Promise<string> {
  try {
    const ask = fetchThrough(proxiesOf(config));
    const { status, body } = await ask(`${config.UPSTREAM_URL}/.versions.json`, { signal: AbortSignal.timeout(10_000) });
    await body?.cancel();
    return status === 200 ? 'ok' : `answers ${status} for /.versions.json: is UPSTREAM_URL right?`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `cannot be reached (${cause}): check the network, the proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), or UPSTREAM_URL`;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
