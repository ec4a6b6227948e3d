import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { otherServersTable } from '#standalone/other-servers-table.ts';
import { settingsTable } from '#standalone/settings-table.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

it('README lists every setting as the schema has it (node standalone/settings-table.ts prints the table)', () => {
  expect(readme).toContain(settingsTable());
});

it('docs/configuration.md lists what other servers have (node standalone/other-servers-table.ts prints the table)', async () => {
  expect(await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8')).toContain(otherServersTable());
});

it('README stays short', () => {
  expect(readme.split('\n').length).toBeLessThan(250);
});

it('tests run on the Node that is pinned', async () => {
  const { dependencies } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(process.versions.node).toBe(dependencies.node);
});
