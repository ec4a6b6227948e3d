import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Something on the host that no build may read or change. */
export interface Host {
  readonly directory: string;
  /** The path of a file in it. */
  readonly file: string;
  /** The content of the file. */
  readonly secret: string;
}

/** Puts something at a path, and replaces what is there. */
type Plant = (path: string, host: Host) => Promise<void>;

/** Replaces the directory at `above` by a link to the host's directory, which contains the same names. */
async function linkDirectory(above: string, name: string, host: Host): Promise<void> {
  await rm(above, { recursive: true, force: true });
  await mkdir(dirname(above), { recursive: true });
  await rm(join(host.directory, name), { recursive: true, force: true });
  await writeFile(join(host.directory, name), host.secret);
  await symlink(host.directory, above);
}

const KINDS: Readonly<Record<string, Plant>> = {
  'a link to a file': (path, host) => symlink(host.file, path),
  'a link to the environment': (path) => symlink('/proc/self/environ', path),
  'a link to /etc/passwd': (path) => symlink('/etc/passwd', path),
  'a link to nothing': (path) => symlink('nowhere', path),
  'a link to a link': async (path, host) => {
    await symlink(host.file, `${path}.between`);
    await symlink(`${basename(path)}.between`, path);
  },
  'names that are no text': async (path) => {
    const odd = Buffer.concat([Buffer.from(`${path}\n`), Buffer.from([0xff, 0x1b])]);
    await writeFile(odd, 'odd');
    await writeFile(Buffer.from(`${dirname(path)}/\u001b[31m\n${basename(path)}`), 'odd');
  },
  'a link to a directory': (path, host) => symlink(host.directory, path),
  'a second name of a file': (path, host) => link(host.file, path),
  'a link for its directory': (path, host) => linkDirectory(dirname(path), basename(path), host),
  'a pipe': async (path) => void (await run('mkfifo', [path])),
  'a socket': async (path) => {
    // A socket must be created at a short path. It stays a socket when it is moved.
    const short = await mkdtemp(join(tmpdir(), 's-'));
    const server = createServer().listen(join(short, 's'));
    await once(server, 'listening');
    await rename(join(short, 's'), path);
    server.close();
    await rm(short, { recursive: true });
  },
  'a directory': async (path) => void (await mkdir(path)),
  'a file for its directory': async (path) => {
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), 'a file');
  },
  'a huge file': async (path) => {
    const file = await open(path, 'w');
    await file.truncate(1024 ** 4);
    await file.close();
  },
};

/** A device that can be read without end. Only a privileged process can create one. */
const DEVICE: Plant = async (path) => void (await run('mknod', [path, 'c', '1', '5']));

/**
 * Returns everything that a build can put in place of a file, by name. Devices are included where this process may
 * create them, as its builds can then, too.
 */
export async function plantableKinds(): Promise<Readonly<Record<string, Plant>>> {
  const probe = await mkdtemp(join(tmpdir(), 'asu-mknod-'));
  const devices = await DEVICE(join(probe, 'zero'), { directory: '', file: '', secret: '' }).then(
    () => ({ 'a device': DEVICE }),
    () => ({}),
  );
  await rm(probe, { recursive: true });
  return { ...KINDS, ...devices };
}
