import { applyMutation } from './apply-mutation.ts';

// A process that simulates with one module changed, until a promise breaks: `run-mutation.ts <mutation> <most seeds>`.
// Its output is one JSON line.
const [, , name, mostSeeds] = process.argv;
const isApplied = applyMutation(name);
const { simulate } = await import('./simulate.ts');
if (!isApplied()) throw new Error(`no module of the simulation has the mutation "${name}"`);

Error.stackTraceLimit = 0;
let seed = 0;
let broken: string | undefined;
while (broken === undefined && seed < Number(mostSeeds)) {
  seed += 1;
  broken = (await simulate({ seed })).broken?.promise;
}
process.stdout.write(`${JSON.stringify({ seed, broken: broken ?? null })}\n`);
