import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { MUTATIONS, mutated } from './mutations.ts';

// A process that simulates with one module changed, until a promise breaks: `run-mutation.ts <mutation> <most seeds>`.
// Its output is one JSON line.
const [, , name, mostSeeds] = process.argv;
const mutation = MUTATIONS.find((one) => one.name === name);
if (mutation === undefined) throw new Error(`unknown mutation: ${name}`);
const url = new URL(`../../${mutation.module}`, import.meta.url);
let isApplied = false;
registerHooks({
  load: (loaded, context, next) => {
    if (loaded !== url.href) return next(loaded, context);
    isApplied = true;
    return { format: 'module', shortCircuit: true, source: stripTypeScriptTypes(mutated(readFileSync(url, 'utf8'), mutation)) };
  },
});
const { simulate } = await import('./simulate.ts');
if (!isApplied) throw new Error(`${mutation.module} is not part of the simulation`);

Error.stackTraceLimit = 0;
let seed = 0;
let broken: string | undefined;
while (broken === undefined && seed < Number(mostSeeds)) {
  seed += 1;
  broken = (await simulate({ seed })).broken?.promise;
}
process.stdout.write(`${JSON.stringify({ seed, broken: broken ?? null })}\n`);
