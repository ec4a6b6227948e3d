import { chmod, chown, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { markerOf } from '#runner/processes/build-marker.ts';
import { pidsOf } from '#runner/processes/testing/pids-of.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { runCommand } from '../process/run-command.ts';
import { availableSandboxes, chooseSandbox } from './choose-sandbox.ts';
import { DEFAULT_LIMITS, type MemoryBound, type Sandbox } from './sandbox.ts';

const directory = await temporaryDirectory();
await chmod(directory, 0o755);
const options = {
  directory,
  limits: { ...DEFAULT_LIMITS, fileBytes: 1024 * 1024, totalMemoryBytes: 160 * 1024 ** 2, tmpBytes: 8 * 1024 ** 2 },
  firstUid: 59_100,
};
const available = await availableSandboxes(options);

let places = 0;
async function place(sandbox: Sandbox) {
  const slot = await sandbox.slots.take();
  const tree = join(directory, `tree-${places++}`);
  await mkdir(tree, { mode: 0o700 });
  const uid = sandbox.uidOf(slot);
  if (uid !== undefined) await chown(tree, uid, uid);
  return { tree, readOnly: {}, slot };
}

const run = async (
  sandbox: Sandbox,
  script: string,
  more: { timeoutMs?: number; memory?: MemoryBound; maxOutputBytes?: number; signal?: AbortSignal } = {},
) => {
  const at = await place(sandbox);
  const command = sandbox.confine(['sh', '-c', script], at, { marker: markerOf(at.tree) });
  const result = await runCommand(more.memory === undefined ? command : { ...command, memory: more.memory }, {
    signal: more.signal ?? new AbortController().signal,
    timeoutMs: more.timeoutMs ?? 20_000,
    maxOutputBytes: more.maxOutputBytes ?? 1_000_000,
  });
  await sandbox.leave(at.slot);
  sandbox.slots.give(at.slot);
  return { ...result, tree: at.tree };
};

/** Returns whether a process with this text on its command line lives. */
const lives = async (text: string): Promise<boolean> => (await pidsOf(text)).length > 0;

describe('availableSandboxes', () => {
  it('ends with plain, which works on every machine, and has each level once', () => {
    expect(available.at(-1)?.level).toBe('plain');
    expect(new Set(available.map(({ level }) => level)).size).toBe(available.length);
  });

  it('lets only plain refuse custom repositories', () => {
    expect(available.map(({ level, allowsCustomRepositories }) => [level, allowsCustomRepositories])).toEqual(
      available.map(({ level }) => [level, level !== 'plain']),
    );
  });

  it('names the sandboxes that work when the requested one does not', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(chooseSandbox({ ...options, directory: file }, 'bwrap')).rejects.toThrow('what does: plain');
  });
});

describe.each(available.map((sandbox) => [sandbox.level, sandbox] as const))('%s', (_, sandbox) => {
  it('runs in its own tree, with a clean environment', async () => {
    const { exitCode, stdout, tree } = await run(sandbox, 'env | cut -d= -f1 | sort; echo written > here; pwd');
    expect(exitCode).toBe(0);
    expect(await readFile(join(tree, 'here'), 'utf8')).toBe('written\n');
    const names = stdout.split('\n');
    for (const name of names.filter((line) => line !== '' && !line.startsWith('/')))
      expect(['ASU_BUILD', 'FAKEROOTDONTTRYCHOWN', 'HOME', 'LC_ALL', 'OLDPWD', 'PATH', 'PWD', 'SHLVL', 'TMPDIR', '_']).toContain(name);
  });

  it('reports the exit code and keeps the two streams separate', async () => {
    const { end, exitCode, stdout, stderr } = await run(sandbox, 'echo out; echo err >&2; exit 3');
    expect({ end, exitCode, stdout, stderr }).toEqual({ end: 'exit', exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('ends everything when time is up, even what ignores SIGTERM or left its group', async () => {
    const mark = `31${places}7771`;
    const { end } = await run(
      sandbox,
      `trap '' TERM; (setsid sh -c "trap '' TERM; sleep ${mark}; :" >/dev/null 2>&1 &); sleep ${mark}; sleep ${mark}`,
      {
        timeoutMs: 400,
      },
    );
    expect(end).toBe('timeout');
    expect(await lives(mark)).toBe(false);
  });

  it('leaves no process behind after a command that ended by itself', async () => {
    const mark = `31${places}7772`;
    const { end, exitCode } = await run(sandbox, `setsid sleep ${mark} >/dev/null 2>&1 & sleep ${mark} & exit 0`);
    expect({ end, exitCode }).toEqual({ end: 'exit', exitCode: 0 });
    expect(await lives(mark)).toBe(false);
  });

  it.each([
    ['in a cgroup', sandbox.memory],
    ['without', { ...sandbox.memory, cgroups: undefined }],
  ])(
    'ends processes that left group, parents and environment if it finds them, and does not wait for others (%s)',
    async (_name, memory) => {
      const mark = `31${places}7774`;
      const { end } = await run(sandbox, `(setsid env -i sh -c '(sleep ${mark} &) ; sleep ${mark} & exit' &); sleep 1`, { memory });
      expect(end).toBe('exit');
      const left = await pidsOf(mark);
      for (const pid of left) process.kill(pid, 'SIGKILL');
      expect(left.length > 0).toBe(sandbox.level === 'plain' && memory.cgroups === undefined);
    },
  );

  it('ends everything when its signal aborts', async () => {
    const mark = `31${places}7773`;
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 300);
    const { end } = await run(sandbox, `sleep ${mark} & sleep ${mark}`, { signal: abort.signal });
    expect(end).toBe('abort');
    expect(await lives(mark)).toBe(false);
  });

  it('ends a command that prints without end, and keeps the beginning', async () => {
    const { end, stdout } = await run(sandbox, 'yes', { maxOutputBytes: 10_000 });
    expect(end).toBe('output');
    expect(stdout).toBe('y\n'.repeat(5000));
  });

  it('bounds the size of files', async () => {
    const { exitCode, tree } = await run(sandbox, 'head -c 3000000 /dev/zero > large');
    expect(exitCode).not.toBe(0);
    expect((await readFile(join(tree, 'large'))).length).toBe(1024 * 1024);
  });

  it('leaves nothing where every user may leave files, except in plain', async () => {
    const name = `asu-left-${process.pid}-${places}`;
    const shared = ['/tmp', '/var/tmp', '/dev/shm'];
    const script = `for at in ${shared.join(' ')}; do mkdir -p $at/${name}/x && echo left > $at/${name}/x/file; done; cat /tmp/${name}/x/file`;
    const { stdout } = await run(sandbox, script);
    expect(stdout).toBe('left\n');
    const left = (await Promise.all(shared.map(async (at) => ((await readdir(at)).includes(name) ? [at] : [])))).flat();
    await Promise.all(left.map((at) => rm(join(at, name), { recursive: true })));
    expect(left).toEqual(sandbox.level === 'plain' ? shared : []);
  });

  it.each(sandbox.hasOwnTmp ? ['/tmp', '/var/tmp', '/dev/shm', '/dev', '/', '/run/lock'] : [])(
    'limits files in memory in %s',
    async (at) => {
      const script = `i=0; while [ $i -lt 20 ] && head -c 1000000 /dev/zero > ${at}/part$i; do i=$((i + 1)); done; echo $i`;
      const { stdout } = await run(sandbox, `mkdir -p ${at}; ${script}`);
      expect(Number(stdout)).toBeLessThan(9);
    },
  );

  describe.each([
    ['limited by the kernel', sandbox.memory],
    ['watched', { ...sandbox.memory, cgroups: undefined }],
  ])('with memory %s', (_name, memory) => {
    it('ends a command whose processes together take too much', async () => {
      const mark = `31${places}7775`;
      const hog = '(head -c 70m /dev/zero; sleep 10) | tail -c 100m > /dev/null';
      const { end } = await run(sandbox, `${hog} & env -i setsid sh -c '${hog}' & ${hog} & sleep ${mark}`, { memory, timeoutMs: 30_000 });
      expect(end).toBe('memory');
      expect(await lives(mark)).toBe(false);
    });

    it('counts files in memory that have no name', async () => {
      const files =
        '$size = 1048576; for (1 .. 200) { $fd = syscall(319, $name = "x", 0); open($f[$_], ">&=", $fd); syswrite($f[$_], "x" x $size) }';
      const { end } = await run(sandbox, `perl -e '${files} sleep 20'`, { memory, timeoutMs: 30_000 });
      expect(end).toBe('memory');
    });

    it('leaves a command running that takes less', async () => {
      const { end, exitCode } = await run(sandbox, '(head -c 70m /dev/zero; sleep 1) | tail -c 100m > /dev/null', { memory });
      expect({ end, exitCode }).toEqual({ end: 'exit', exitCode: 0 });
    });
  });

  it('takes the network away where there are namespaces', async () => {
    const ours = await readlink('/proc/self/ns/net');
    const taken = await run(sandbox, 'readlink /proc/self/ns/net; cut -d: -f1 -s /proc/net/dev');
    expect(taken.stdout.startsWith(ours)).toBe(!sandbox.hasNamespaces);
    if (sandbox.hasNamespaces)
      expect(
        taken.stdout
          .split('\n')
          .slice(1)
          .map((name) => name.trim()),
      ).toEqual(['lo', '']);
  });

  it('lets the processes of a build without network talk to each other at 127.0.0.1, and to no process of the machine', async () => {
    const ours = createServer((socket) => socket.end('of the machine\n'));
    await new Promise<void>((resolve) => ours.listen(0, '127.0.0.1', resolve));
    const { port } = ours.address() as AddressInfo;
    const program = `
      use IO::Socket::INET;
      my $own = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die "no listener: $!";
      for my $port ($own->sockport, ${port}) {
        my $to = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or print("$!\\n"), next;
        if ($port == $own->sockport) { my $client = $own->accept; print $client "of the build\\n"; close $client }
        print <$to>;
      }`;
    const { stdout } = await run(sandbox, `perl -e '${program}'`);
    ours.close();
    expect(stdout.trim().split('\n')).toEqual(['of the build', sandbox.hasNamespaces ? 'Connection refused' : 'of the machine']);
  });

  it('keeps builds from reading each other’s files, except in plain', async () => {
    const other = await place(sandbox);
    await writeFile(join(other.tree, 'secret'), 'secret of another build');
    const { stdout } = await run(sandbox, `cat ${other.tree}/secret`);
    sandbox.slots.give(other.slot);
    expect(stdout).toBe(sandbox.level === 'plain' ? 'secret of another build' : '');
  });

  it('shows nothing of our own environment', async () => {
    const { stdout } = await run(sandbox, `cat /proc/${process.pid}/environ`);
    expect(stdout.includes('PATH=') && sandbox.level !== 'plain').toBe(false);
  });
});

describe('runCommand', () => {
  it('rejects a command that cannot be started', async () => {
    const command = {
      file: '/nonexistent',
      args: [],
      cwd: '/',
      env: {},
      marker: 'none',
      hasPidNamespace: false,
      uid: undefined,
      memory: { bytes: 1, cgroups: undefined },
    };
    const running = runCommand(command, { signal: new AbortController().signal, timeoutMs: 1000, maxOutputBytes: 1 });
    await expect(running).rejects.toThrow('ENOENT');
  });
});

describe('read-only parts of a build', () => {
  const mounting = available.filter(({ mountsReadOnlyParts, level }) => mountsReadOnlyParts && level !== 'bwrap');
  it.each(mounting)('are not mounted through a link that the build created ($level)', async (sandbox) => {
    const at = await place(sandbox);
    const [elsewhere, shared] = await Promise.all(['elsewhere', 'shared'].map((name) => mkdtemp(join(directory, `${name}-`))));
    await mkdir(join(elsewhere ?? '', 'part'));
    await symlink(elsewhere ?? '', join(at.tree, 'link'));
    const command = sandbox.confine(['true'], { ...at, readOnly: { 'link/part': shared ?? '' } }, { marker: markerOf(at.tree) });
    const { exitCode, stderr } = await runCommand(command, {
      signal: new AbortController().signal,
      timeoutMs: 20_000,
      maxOutputBytes: 65_536,
    });
    sandbox.slots.give(at.slot);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('a link is on the way')]);
  });
});
