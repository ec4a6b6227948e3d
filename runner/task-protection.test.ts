import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ecsTaskProtection } from './task-protection.ts';

describe('ecsTaskProtection', () => {
  let server: Server;
  let asked: { method: string | undefined; url: string | undefined; body: unknown }[];
  let status: number;
  let troubles: unknown[];
  let heard: () => void;

  beforeEach(async () => {
    [asked, troubles, status, heard] = [[], [], 200, () => undefined];
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ method: request.method, url: request.url, body: JSON.parse(body) });
      response.writeHead(status).end('{"protection":{}}');
      heard();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const protection = () =>
    ecsTaskProtection({
      agentUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/0`,
      minutes: 20,
      onTrouble: (error) => {
        troubles.push(error);
        heard();
      },
    });
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      heard = () => isSo() && resolve();
      heard();
    });
  const on = { method: 'PUT', url: '/api/0/task-protection/v1/state', body: { ProtectionEnabled: true, ExpiresInMinutes: 20 } };
  const off = { ...on, body: { ProtectionEnabled: false } };

  it('asks for each build, gives free with the last to end, and says so in order', async () => {
    const task = protection();
    task.begin('a');
    task.begin('b');
    task.end('a');
    task.end('a');
    task.end('b');
    task.begin('c');
    await until(() => asked.length === 4);
    expect(asked).toEqual([on, on, off, on]);
  });

  it('goes on when the agent refuses or is not there', async () => {
    status = 400;
    const task = protection();
    task.begin('a');
    await until(() => troubles.length === 1);
    expect(String(troubles[0])).toContain('400');
    status = 200;
    task.end('a');
    await until(() => asked.length === 2);
    expect(asked[1]).toEqual(off);
  });
});
