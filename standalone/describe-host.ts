import { type HostCheck, installCommands } from '#runner/host/check-host.ts';

/** What the host has and lacks, one line for each, and then what to install. */
export function describeHost(checks: readonly HostCheck[]): string {
  const lines = checks.map(
    ({ name, ok, found, required }) => `  ${ok ? 'ok     ' : required ? 'MISSING' : 'missing'} ${name.padEnd(24)} ${found}`,
  );
  return [...lines, ...howToInstall(checks)].join('\n');
}

/** What is missing, for the start of the server; empty when nothing is. */
export function describeMissing(checks: readonly HostCheck[]): string {
  const missing = checks.filter(({ ok }) => !ok);
  if (missing.length === 0) return '';
  return [
    `ImageBuilder needs what this machine lacks: ${missing.map(({ name, found }) => `${name} (${found})`).join(', ')}`,
    ...howToInstall(checks),
  ].join('\n');
}

function howToInstall(checks: readonly HostCheck[]): string[] {
  const [apt, dnf, apk] = installCommands(checks);
  if (apt === undefined) return [];
  return [
    '',
    'Install what is missing:',
    `  Debian, Ubuntu:  sudo ${apt}`,
    `  Fedora:          sudo ${dnf}`,
    `  Alpine:          sudo ${apk}`,
  ];
}
