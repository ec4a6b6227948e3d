import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { otherServersTable } from '#standalone/other-servers-table.ts';
import { MAIN_SETTINGS, settingsTable } from '#standalone/settings-table.ts';

const textOf = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = await textOf('README.md');

it('README opens with what this is, a picture of it at work, and exactly two commands', () => {
  const [opening = ''] = readme.split('\n## ');
  expect(opening).toMatch(/^# \S.*\n\nThis is an \[OpenWrt\]/);
  expect(opening.indexOf('](docs/demo.svg)')).toBeGreaterThan(0);
  const commands = [...opening.matchAll(/```console\n([\s\S]*?)```/g)].map(([, text = '']) => text.trim().split('\n'));
  expect(commands).toEqual([['npm ci && npm run demo', 'npm ci && npm test']]);
});

it('the picture shows every step that the demo prints today (npm run demo:picture records it again)', async () => {
  const picture = await textOf('docs/demo.svg');
  const steps = [...(await textOf('demo/show-build.ts')).matchAll(/heading\('(\d\. [^']+)'\)/g)].map(([, step = '']) => step);
  expect(steps.length).toBeGreaterThan(4);
  for (const step of steps) expect(picture).toContain(`>${step}</text>`);
});

it('README lists the settings that matter most as the schema has them (node standalone/settings-table.ts --main prints the table)', () => {
  expect(MAIN_SETTINGS).toHaveLength(10);
  expect(readme).toContain(settingsTable(MAIN_SETTINGS));
});

it('docs/configuration.md lists every setting as the schema has it (node standalone/settings-table.ts prints the table)', async () => {
  expect(await textOf('docs/configuration.md')).toContain(settingsTable());
});

it('docs/configuration.md lists what other servers have (node standalone/other-servers-table.ts prints the table)', async () => {
  expect(await textOf('docs/configuration.md')).toContain(otherServersTable());
});

it('README stays short', () => {
  expect(readme.split('\n').length).toBeLessThan(250);
});

it('tests run on the Node that is pinned', async () => {
  const { dependencies } = JSON.parse(await textOf('package.json'));
  expect(process.versions.node).toBe(dependencies.node);
});

it('the table of settings shows every default as text', () => {
  expect(settingsTable()).not.toContain('[object');
});
