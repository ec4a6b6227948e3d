import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type Standalone, startServer } from '#standalone/start-server.ts';
import { demoConfig } from './config.ts';
import { showBuild } from './show-build.ts';
import { terminal } from './terminal.ts';

const USAGE = `Usage: npm run demo [-- --once] [-- --port N]

Starts a small downloads.openwrt.org and the server on this machine, asks for a firmware image, shows what happens, and
leaves the server running until Ctrl-C.

  --once      end after the image is downloaded and checked; exit code 0 or 1
  --port N    port of the server (default: any free one)
  --verbose   show the server's log`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, port: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const out = terminal(process.stdout);
  if (values.help) {
    out.say(USAGE);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const dataDir = await mkdtemp(join(tmpdir(), 'asu-demo-'));
  out.heading('An OpenWrt Attended SysUpgrade server, all on this machine');
  out.say('  making the demo upstream …');
  const upstream = await serveDemoUpstream();
  let server: Standalone | undefined;
  try {
    const config = demoConfig({
      dataDir,
      upstreamUrl: upstream.url,
      port: values.port,
      key: demoUpstreamKey.base64,
      verbose: values.verbose,
    });
    server = await startServer(config);
    out.say(`  upstream ${upstream.url}\n  server   ${server.url}\n  data     ${dataDir}`);
    await showBuild(server.url, out, stop.signal);
    if (!values.once) {
      out.heading('The server runs until you press Ctrl-C. Try:');
      out.say(`  curl -s ${server.url}/api/v1/build -H 'Content-Type: application/json' \\`);
      out.say(`    -d '{"version":"24.10.2","target":"x86/64","profile":"generic","packages":["vim"]}'`);
      await new Promise<void>((resolve) => (stop.signal.aborted ? resolve() : stop.signal.addEventListener('abort', () => resolve())));
    }
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    out.say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    if (!values.verbose) out.say('To see the server’s log, run `npm run demo -- --verbose`.');
    return 1;
  } finally {
    await server?.close();
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

process.exitCode = await main();
