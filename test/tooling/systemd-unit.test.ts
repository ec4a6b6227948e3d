import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

/** `Section.Key` → values, in order; a line ending in `\` goes on. */
function parseUnit(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  let section = '';
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    if (line.trim() === '' || /^[#;]/.test(line)) continue;
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (name !== undefined) {
      section = name;
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) throw new Error(`not a line of a unit: ${line}`);
    settings.set(`${section}.${key}`, [...(settings.get(`${section}.${key}`) ?? []), value]);
  }
  return settings;
}

const unit = parseUnit(await readFile(new URL('../../deploy/asu.service', import.meta.url), 'utf8'));

it('runs the server as its own user, restarts it after a crash, and reloads it by SIGHUP', () => {
  const wanted = {
    'Service.Type': 'simple',
    'Service.User': 'asu',
    'Service.Restart': 'on-failure',
    'Service.RestartPreventExitStatus': '2',
    'Service.ExecReload': '/bin/kill -HUP $MAINPID',
    'Service.KillMode': 'mixed',
    'Service.NoNewPrivileges': 'yes',
    'Service.ProtectSystem': 'strict',
    'Install.WantedBy': 'multi-user.target',
  };
  for (const [key, value] of Object.entries(wanted)) expect([key, unit.get(key)]).toEqual([key, [value]]);
});

it('starts a file of this repository', () => {
  const [node, main] = unit.get('Service.ExecStart')?.[0]?.split(' ') ?? [];
  for (const path of [node, main]) {
    expect(path).toMatch(/^\/opt\/asu\//);
    expect(existsSync(new URL(`../../${path?.slice('/opt/asu/'.length)}`, import.meta.url))).toBe(true);
  }
});

it('lets the server write to ./data below its working directory', () => {
  expect(unit.get('Service.WorkingDirectory')).toEqual([`/var/lib/${unit.get('Service.StateDirectory')?.[0]}`]);
});

it('forbids nothing that builds in namespaces need', () => {
  for (const key of [
    'RestrictNamespaces',
    'SystemCallFilter',
    'ProtectKernelTunables',
    'ProtectKernelLogs',
    'ProtectProc',
    'ProcSubset',
    'RestrictSUIDSGID',
    'MemoryDenyWriteExecute',
    'DynamicUser',
  ])
    expect([key, unit.get(`Service.${key}`)]).toEqual([key, undefined]);
});
