import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const textOf = (path: string) => readFile(join(ROOT, path), 'utf8');

async function documents(): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of glob('{*,docs/*,docs/decisions/*,demo/*,demo/upstream/*}.md', { cwd: ROOT })) paths.push(path);
  return paths.sort();
}
/** The anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
const anchorsIn = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('the documents', () => {
  it('link to existing files and headings', async () => {
    const paths = await documents();
    expect(paths.length).toBeGreaterThan(30);
    for (const path of paths)
      for (const [, link = ''] of (await textOf(path)).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : join(dirname(path), file);
        expect([path, link, existsSync(join(ROOT, target))]).toEqual([path, link, true]);
        if (anchor !== undefined) expect([path, link, anchorsIn(await textOf(target)).includes(anchor)]).toEqual([path, link, true]);
      }
  });

  it('name existing files of the tree', async () => {
    const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: ROOT });
    const files = stdout.trim().split('\n');
    const folders = new Set(files.flatMap((path) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])));
    let named = 0;
    for (const path of await documents())
      for (const [, name = ''] of (await textOf(path)).matchAll(/`((?:[a-z-]+\/)+[\w.-]+\.(?:ts|js|cjs|yaml|json|md|sh|svg|service))`/g)) {
        if (!folders.has(name.slice(0, name.indexOf('/')))) continue;
        named++;
        expect([path, name, existsSync(join(ROOT, name))]).toEqual([path, name, true]);
      }
    expect(named).toBeGreaterThan(100);
  });

  it('name existing commands', async () => {
    for (const path of await documents())
      for (const [, name = ''] of (await textOf(path)).matchAll(/\bnpm run ([a-z]+(?::[a-z]+)*)/g))
        expect([path, name, name in manifest.scripts]).toEqual([path, name, true]);
  });

  it('exist when a comment cites them', async () => {
    let cited = 0;
    const numbered = await Promise.all(['docs/contract.md', 'docs/imagebuilder.md'].map(textOf));
    for await (const path of glob('**/*.{ts,js,sh}', {
      cwd: ROOT,
      exclude: (name) => ['node_modules', '.sst', 'dist', '.localstack'].includes(name),
    })) {
      const text = await textOf(path);
      for (const [, name = ''] of text.matchAll(/\b([A-Z]{4,})\.md\b/g))
        expect([path, name, existsSync(join(ROOT, `${name}.md`))]).toEqual([path, name, true]);
      for (const [, document = '', section] of text.matchAll(/\b(docs\/[a-z-]+\.md)(?: §(\d+)(?:\.\d+)?)?/g)) {
        cited++;
        expect([path, document, existsSync(join(ROOT, document))]).toEqual([path, document, true]);
        if (section !== undefined)
          expect([path, document, section, (await textOf(document)).includes(`\n## ${section}. `)]).toEqual([
            path,
            document,
            section,
            true,
          ]);
      }
      // A section without a document is one of the contract or of the facts about ImageBuilder.
      for (const [, section = ''] of text.matchAll(/§(\d+)/g))
        expect([path, section, numbered.some((document) => document.includes(`\n## ${section}. `))]).toEqual([path, section, true]);
      for (const [, number = ''] of text.matchAll(/\bdocs\/decisions\/(\d{4})/g))
        expect([path, number, (await documents()).some((document) => document.startsWith(`docs/decisions/${number}-`))]).toEqual([
          path,
          number,
          true,
        ]);
    }
    expect(cited).toBeGreaterThan(40);
  });

  it('number decisions without a gap and without repeating one, in their headings too', async () => {
    const pages = (await documents()).filter((path) => /^docs\/decisions\/\d{4}-/.test(path));
    const numbers = pages.map((path) => Number(/(\d{4})-/.exec(path)?.[1]));
    expect(numbers).toEqual(Array.from(pages, (_, index) => index + 1));
    const headings = await Promise.all(pages.map(async (path) => Number(/^# (\d+)\. \S/.exec(await textOf(path))?.[1])));
    expect(headings).toEqual(numbers);
  });

  it('have an index of decisions with a line for each page, under the heading of the page', async () => {
    const pages = (await documents()).filter((path) => /^docs\/decisions\/\d{4}-/.test(path));
    const rows = [...(await textOf('docs/decisions/README.md')).matchAll(/^\| (\d+) \| \[(.+)\]\((\S+)\) \| \S.* \|$/gm)];
    const headings = await Promise.all(pages.map(async (path) => (await textOf(path)).split('\n', 1)[0]));
    expect(rows.map(([, number, title, file]) => [`docs/decisions/${file}`, `# ${number}. ${title}`])).toEqual(
      pages.map((path, index) => [path, headings[index]]),
    );
  });
});

describe('the map in CONTRIBUTING', () => {
  it('has every folder with files of ours, and no other', async () => {
    const rows = [...(await textOf('CONTRIBUTING.md')).matchAll(/^\| `([a-z-]+)\/` \|/gm)].map(([, name]) => name);
    const { stdout } = await promisify(execFile)('git', ['ls-tree', '-d', '--name-only', 'HEAD'], { cwd: ROOT });
    const folders = stdout
      .trim()
      .split('\n')
      .filter((name) => !name.startsWith('.'));
    expect(rows.toSorted()).toEqual(folders.toSorted());
  });
});

describe('the contents that the design documents require', () => {
  it('README: two steps, services, ways to run, what each needs', async () => {
    const text = await textOf('README.md');
    expect(anchorsIn(text)).toContain('three-ways-to-run-it');
    expect(text).toMatch(/^\*\*Two steps\.\*\* \S/m);
    for (const word of ['/api/v1/build/prepare', 'skip_package_resolution=true', 'npm run service -- prepare', 'docs/deployments.md'])
      expect(text).toContain(word);
  });

  it('architecture of the services: duties, dependencies, scaling, security, moving, trouble', async () => {
    const text = await textOf('docs/deployments.md');
    for (const heading of ['Services', 'Gateway', 'Moving from another server', 'Security', 'Troubleshooting'])
      expect(anchorsIn(text)).toContain(anchorOf(heading));
    for (const word of ['| what it does | asks |', '--scale runner=10', 'split_clients']) expect(text).toContain(word);
  });

  it('when to use which way, with what is bad about each', async () => {
    const text = await textOf('docs/deployments.md');
    expect(text).toMatch(/^\*\*When to use which\.\*\* \S/m);
    for (const row of ['good at', 'bad at', 'for']) expect(text).toMatch(new RegExp(`^\\| ${row} \\|([^|]{20,}\\|){3}$`, 'm'));
  });

  it('the prepare service alone', async () => {
    const text = await textOf('docs/prepare.md');
    for (const word of ['npm run service -- prepare', '/api/v1/prepare', '/apply', 'UPSTREAM_URL']) expect(text).toContain(word);
  });
});
