import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '#observe/log.ts';
import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { logSandbox } from '#runner/log-sandbox.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** An operator learns how builds are kept from the machine, without a build. */
const PLAIN: SandboxFacts = { level: 'plain', network: 'shared', memory: 'watched', tmp: 'shared', unsigned: 'refused' };
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('the sandbox of builds', () => {
  it('is in /ready, and makes the server no less ready', async () => {
    const answer = await server.get('/ready');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'ready', sandbox: PLAIN });
  });

  it('is in a metric', async () => {
    const text = await (await server.get('/metrics')).text();
    expect(text).toContain('asu_sandbox{level="plain",network="shared",memory="watched",tmp="shared",unsigned="refused"} 1');
  });

  it.each([
    [
      PLAIN,
      ['info runner ready', 'warn builds have the network of this machine', 'warn ImageBuilders without a known signature are refused'],
    ],
    [{ ...PLAIN, level: 'uid', unsigned: 'built' } as const, ['info runner ready', 'warn builds have the network of this machine']],
    [{ ...PLAIN, level: 'bwrap', network: 'none', unsigned: 'built' } as const, ['info runner ready']],
  ])('is logged at the start: $level', (facts, expected) => {
    const lines: string[] = [];
    const say = (level: string) => (message: string) => lines.push(`${level} ${message}`);
    logSandbox({ info: say('info'), warn: say('warn') } as unknown as Log, facts);
    expect(lines).toEqual(expected);
  });
});
