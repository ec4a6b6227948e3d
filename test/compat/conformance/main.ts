import { parseArgs } from 'node:util';
import { setup } from '#test/openapi/global-setup.ts';
import { runSchemathesis } from '#test/openapi/run-schemathesis.ts';
import { runChecks } from './run-checks.ts';

const USAGE = `Usage: npm run conformance -- URL [--build] [--fuzz] [--version V --target T --profile P]

Asks any server, at any address, whether it answers as this API promises. Exit code 1: it does not.

  --build   has an image built as well, and every file of it downloaded
  --fuzz    sends some thousand requests drawn from the document that the server serves (Schemathesis, which needs Python);
            many of them ask for builds: not against a server that others use
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      build: { type: 'boolean', default: false },
      fuzz: { type: 'boolean', default: false },
      version: { type: 'string' },
      target: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [given] = positionals;
  if (values.help || given === undefined || positionals.length > 1) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    return values.help ? 0 : 2;
  }
  const url = given.replace(/\/+$/, '');
  const { version, target, profile } = values;
  if ([version, target, profile].some((one) => one === undefined) && [version, target, profile].some((one) => one !== undefined))
    throw new Error('--version, --target and --profile go together');
  const findings = await runChecks(url, {
    builds: values.build,
    ...(version !== undefined && target !== undefined && profile !== undefined && { subject: { version, target, profile } }),
    onFinding: ({ name, failure }) => process.stdout.write(failure === undefined ? `✓ ${name}\n` : `✗ ${name}\n    ${indented(failure)}\n`),
  });
  const failed = findings.filter(({ failure }) => failure !== undefined).length;
  process.stdout.write(`\n${findings.length - failed} of ${findings.length} hold at ${url}\n`);
  return failed > 0 || (values.fuzz && !(await fuzz(url))) ? 1 : 0;
}

/** A failed build, which every client expects as 500. */
const OF_SCRIPTED_BUILDS = ['not_a_server_error', 'positive_data_acceptance'];

async function fuzz(url: string): Promise<boolean> {
  await setup();
  const { report, output } = await runSchemathesis(url, {
    seed: Math.floor(Math.random() * 2 ** 31),
    maxExamples: 50,
    without: OF_SCRIPTED_BUILDS,
  });
  process.stdout.write(output);
  return report.complete && report.exit_code === 0;
}

const indented = (text: string) => text.trimEnd().replaceAll('\n', '\n    ');

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
