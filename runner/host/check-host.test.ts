import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { checkHost, type HostCheck, installCommands } from './check-host.ts';

const directory = await temporaryDirectory();

describe('checkHost', () => {
  it('finds everything that the tests themselves need', async () => {
    const checks = await checkHost(directory);
    const required = checks.filter(({ required: isRequired }) => isRequired);
    expect(required.map(({ name, ok }) => [name, ok])).toEqual([
      ['Linux on x86_64', true],
      ['make ≥ 4.1', true],
      ['tar', true],
      ['xz', true],
      ['case-sensitive file system', true],
    ]);
    expect(checks.find(({ name }) => name === 'make ≥ 4.1')?.found).toContain('GNU Make');
  });

  it('names the package to install for each missing thing, and no package twice', () => {
    const missing = (name: string, install: HostCheck['install']): HostCheck => ({
      name,
      ok: false,
      found: 'missing',
      required: false,
      install,
    });
    expect(
      installCommands([
        missing('a', { apt: 'perl', dnf: 'perl-core', apk: 'perl perl-utils' }),
        missing('b', { apt: 'perl', dnf: 'perl-core', apk: 'perl' }),
        missing('c', { apt: 'xz-utils', dnf: 'xz', apk: 'xz' }),
        { ...missing('d', { apt: 'git', dnf: 'git', apk: 'git' }), ok: true },
      ]),
    ).toEqual(['apt-get install perl xz-utils', 'dnf install perl-core xz', 'apk add perl perl-utils xz']);
    expect(installCommands([])).toEqual([]);
  });

  it('reports a directory that cannot be written to', async () => {
    const checks = await checkHost(join(directory, 'none'));
    expect(checks.find(({ name }) => name.startsWith('case'))).toMatchObject({ ok: false, found: expect.stringContaining('ENOENT') });
  });
});
