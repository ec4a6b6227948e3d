import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { ROOT } from '../../bundles/esbuild-options.ts';
import { PLATFORM } from './install-sst.ts';

export interface Resource {
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the type depends on the provider
  readonly inputs: any;
}

/**
 * Returns every resource that `sst deploy` would make in a stage. It runs `sst.config.ts` with Pulumi's mocks, without
 * AWS.
 */
export async function mockedDeployment(stage: string, env: Readonly<Record<string, string>> = {}): Promise<Resource[]> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-infra-'));
  const server = await sstServer(directory);
  try {
    const program = join(PLATFORM, 'asu-test', `program-${stage}.mjs`);
    await bundleProgram(program);
    // SST writes a .dockerignore into the context of an image, even if nothing has made the context.
    await mkdir(join(ROOT, 'dist', 'runner'), { recursive: true });
    const resources = join(directory, 'resources.jsonl');
    await promisify(execFile)(process.execPath, [program, JSON.stringify({ root: ROOT, stage, resources })], {
      cwd: ROOT,
      env: { PATH: '/usr/bin:/bin', HOME: directory, SST_SERVER: server.url, ...env },
      maxBuffer: 16 * 1024 * 1024,
    });
    const lines = (await readFile(resources, 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Resource);
  } finally {
    server.close();
    await rm(directory, { recursive: true });
  }
}

/** Bundles the program into `outfile`, beside SST's packages, so that program and components load the same Pulumi. */
async function bundleProgram(outfile: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['test/infra/program.mjs'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    packages: 'external',
    // The program uses these aliases, because linters follow file imports and would read all of SST.
    alias: { 'sst-components': join(PLATFORM, 'src', 'components', 'index.ts'), 'sst-globals': join(PLATFORM, 'src', 'shim', 'run.js') },
    logLevel: 'error',
    banner: { js: "import{createRequire as nodeCreateRequire}from'node:module';const require=nodeCreateRequire(import.meta.url);" },
  });
}

/** Answers the requests of components to SST's local server. */
async function sstServer(directory: string): Promise<{ url: string; close: () => void }> {
  const out = join(directory, 'bundle');
  await mkdir(out);
  await writeFile(join(out, 'handler.mjs'), 'export const handler = () => undefined;\n');
  const results: Readonly<Record<string, object>> = {
    'Provider.Aws.Bootstrap': { asset: 'sst-asset', assetEcrRegistryId: '1', assetEcrUrl: 'ecr/sst-asset', state: 'sst-state' },
    'Runtime.Build': { handler: 'handler.handler', out, errors: [], sourcemaps: [] },
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method } = JSON.parse(body) as { method: string };
    response.end(JSON.stringify(method in results ? { result: results[method] } : { error: `rpc: can't find ${method}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
