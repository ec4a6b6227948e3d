import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CourierSite, courierSite, OPKG_INDEX, VIM } from '#test/support/courier-site.ts';

const PACKAGE = '/base/vim_9+1_x86_64.ipk';
let site: CourierSite;
beforeEach(async () => {
  site = await courierSite();
});
afterEach(() => site.close());

const asked = (path: string) => site.requests.filter((one) => one === path).length;

describe('upstream', () => {
  it.each([500, 503, 429])('that answers %i is asked again', async (status) => {
    const { courier } = await site.open();
    site.files.set(PACKAGE, (response) => {
      site.files.set(PACKAGE, VIM);
      response.writeHead(status).end();
    });
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
    expect(asked(PACKAGE)).toBe(2);
  });

  it('that answers 404 is asked once', async () => {
    const { courier } = await site.open();
    site.files.delete(PACKAGE);
    expect((await site.wget(courier, PACKAGE)).code).toBe(8);
    expect(asked(PACKAGE)).toBe(1);
  });

  it.each([
    ['says nothing', 0],
    ['stops in the middle', 4],
  ])('that %s is asked again', async (_, bytes) => {
    const { courier } = await site.open({ stallMs: 300 });
    site.files.set(PACKAGE, (response) => {
      site.files.set(PACKAGE, VIM);
      if (bytes > 0) response.writeHead(200, { 'content-length': VIM.length }).write(VIM.subarray(0, bytes));
    });
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
    expect(asked(PACKAGE)).toBe(2);
  });

  it('that sends a byte now and then is asked again', async () => {
    const { courier } = await site.open({ stallMs: 300 });
    let trickle: NodeJS.Timeout | undefined;
    site.files.set(PACKAGE, (response) => {
      site.files.set(PACKAGE, VIM);
      response.writeHead(200, { 'content-length': 100_000 });
      trickle = setInterval(() => response.write('\x1f'), 20);
      response.on('close', () => clearInterval(trickle));
    });
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
    expect(asked(PACKAGE)).toBe(2);
  });

  it('that sends a long file slowly, but goes on, is asked once', async () => {
    const long = Buffer.alloc(200_000);
    VIM.copy(long);
    site.files.set('/base/endless_1.ipk', async (response) => {
      response.writeHead(200, { 'content-length': long.length });
      for (let at = 0; at < long.length; at += 20_000) {
        response.write(long.subarray(at, at + 20_000));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      response.end();
    });
    const { courier } = await site.open({ stallMs: 900 });
    expect((await site.wget(courier, '/base/endless_1.ipk')).code).toBe(0);
    expect(asked('/base/endless_1.ipk')).toBe(1);
  });

  it('that closes the connection in the middle is asked again', async () => {
    const { courier } = await site.open();
    site.files.set(PACKAGE, (response) => {
      site.files.set(PACKAGE, VIM);
      response.writeHead(200, { 'content-length': VIM.length }).write(VIM.subarray(0, 4), () => response.destroy());
    });
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
  });

  it('is asked only once per command for a file that it does not have', async () => {
    site.files.set('/base/Packages.gz', (response) => response.writeHead(503).end());
    const { courier } = await site.open({ attempts: 3 });
    for (let time = 0; time < 3; time++) expect((await site.wget(courier, '/base/Packages.gz')).code).toBe(4);
    expect(asked('/base/Packages.gz')).toBe(3);
  });

  it('whose index comes late makes its packages available to the next command', async () => {
    site.files.delete('/base/Packages.gz');
    const { courier } = await site.open();
    expect((await site.wget(courier, PACKAGE)).code).toBe(8);
    site.files.set('/base/Packages.gz', OPKG_INDEX);
    await courier.ready();
    expect((await site.wget(courier, PACKAGE)).code).toBe(0);
  });
});

describe('a download', () => {
  it('ends with the time of the build, and the next one does not begin', async () => {
    site.files.set('/base/Packages.gz', () => undefined);
    const { log } = await site.open({ deadline: performance.now() + 300, attempts: 5, backoffMs: 500 });
    expect(log.join()).toContain('the time of the build is over');
    expect(asked('/base/Packages.gz')).toBe(1);
  });

  it('ends when the build is cancelled', async () => {
    const cancel = new AbortController();
    site.files.set('/base/Packages.gz', () => cancel.abort(new Error('cancelled')));
    await expect(site.open({ signal: cancel.signal })).rejects.toThrow('cancelled');
  });

  it('ends with the build, and leaves nothing behind', async () => {
    const { courier } = await site.open();
    const began = Promise.withResolvers<ServerResponse>();
    site.files.set(PACKAGE, (response) => {
      response.writeHead(200, { 'content-length': VIM.length }).write(VIM.subarray(0, 4));
      began.resolve(response);
    });
    const question = `01234567-89ab-cdef-0123-456789abcdef ${site.url}${PACKAGE}`;
    await promisify(execFile)('sh', ['-c', `echo "${question}" > "${courier.directory}/ask"`]);
    const response = await began.promise;
    const ended = new Promise((resolve) => response.on('close', resolve));
    await courier.close();
    await ended;
    expect(await readdir(join(courier.directory, 'replies'))).toEqual([]);
    expect(courier.broken.aborted).toBe(false);
  });
});

describe('the indexes of many repositories', () => {
  const repositories = (count: number) => {
    const names = Array.from({ length: count }, (_, at) => `feed${at}`);
    return {
      text: names.map((name) => `src ${name} ${site.url}/${name}\n`).join(''),
      packageManager: 'opkg' as const,
      upstreamUrl: site.url,
    };
  };

  it('are fetched four at a time', async () => {
    let open = 0;
    let most = 0;
    for (let at = 0; at < 12; at++)
      site.files.set(`/feed${at}/Packages`, (response) => {
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          response.end('Package: vim\n');
        }, 50);
      });
    const { courier } = await site.open({ repositories: repositories(12) });
    expect(courier.delivered().size).toBe(12);
    expect(most).toBe(4);
  });

  it('are fetched up to a number that no real build reaches', async () => {
    const { log } = await site.open({ repositories: repositories(150) });
    expect(site.requests).toHaveLength(100);
    expect(log.join()).toContain('Only the first 100 of 150 repositories');
  });
});

it('takes an answer that comes byte by byte', async () => {
  site.files.set(PACKAGE, async (response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    for (const byte of VIM) response.write(Buffer.from([byte]));
    response.end();
  });
  const { courier } = await site.open();
  expect((await site.wget(courier, PACKAGE)).got).toBe(VIM.toString('latin1'));
});

it.each(['localhost', '127.0.0.2', '[::ffff:127.0.0.1]'])('is not led by https to %s, another host in the own network', async (host) => {
  let connections = 0;
  const neighbour = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => neighbour.listen(0, '::', resolve));
  try {
    site.files.set('/base/Packages.gz', `-> https://${host}:${(neighbour.address() as AddressInfo).port}/latest/meta-data`);
    const { log } = await site.open();
    expect(log.join()).toContain('no address of the internet');
    expect(asked('/base/Packages.gz')).toBe(1);
    expect(connections).toBe(0);
  } finally {
    await new Promise((resolve) => neighbour.close(resolve));
  }
});
