import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../testing/short-of-files.ts', import.meta.url));

it.each([
  ['a command is started', 'start', /^InfrastructureFailure: .*EMFILE/],
  ['the processes of a command are ended', 'end', /^Error: EMFILE/],
  ['the files of a build are summed up', 'sum', /^Error: .*EMFILE/],
])('a server that may open no more files when %s goes on, and the work fails', async (_, moment, message) => {
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=64', process.execPath, PROGRAM, moment]);
  expect(stdout.trim()).toMatch(message);
});
