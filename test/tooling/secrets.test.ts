import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The shapes of secrets, each with an example that is assembled at run time, so that this file has none. */
const SECRETS: Readonly<Record<string, { pattern: RegExp; example: string }>> = {
  'access key of AWS': { pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, example: `AKIA${'Q7'.repeat(8)}` },
  'secret key of AWS': {
    pattern: /aws_?secret_?(?:access_?)?key["']?\s*[:=]\s*["']?[A-Za-z0-9/+]{40}\b/i,
    example: `AWS_SECRET_ACCESS_KEY=${'x9/K'.repeat(10)}`,
  },
  'private key': {
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}/,
    example: `-----BEGIN ${'PRIVATE'} KEY-----\n${'MII'.repeat(9)}`,
  },
  'secret half of a usign key': { pattern: /^RWRCSwAAAAA[A-Za-z0-9+/]{60,}={0,2}$/m, example: `RWRCSwAAAAA${'a'.repeat(80)}` },
  'token of GitHub': { pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})\b/, example: `ghp_${'a1'.repeat(18)}` },
  'token of npm': { pattern: /\bnpm_[A-Za-z0-9]{36}\b/, example: `npm_${'a1'.repeat(18)}` },
  'token of Slack': { pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/, example: `xoxb-${'1a'.repeat(8)}` },
  'password inside a URL': {
    pattern: /\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|rediss?|amqps?):\/\/[^\s:@/'"]*:[^\s@/'"$]{3,}@/,
    example: `redis://:${'secure'}_pass@host`,
  },
};

const secretsIn = (text: string) => Object.keys(SECRETS).filter((kind) => SECRETS[kind]?.pattern.test(text));

it.each(Object.entries(SECRETS))('knows a %s', (kind, { example }) => {
  expect(secretsIn(`some text\n${example}\n`)).toEqual([kind]);
});

it('no file of the repository has a secret in it', async () => {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z'], { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  const paths = stdout.split('\0').filter((path) => path !== '');
  expect(paths.length).toBeGreaterThan(100);
  const found = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(`${root}${path}`, 'latin1').catch(() => '');
      return secretsIn(text).map((kind) => `${path}: ${kind}`);
    }),
  );
  expect(found.flat()).toEqual([]);
});
