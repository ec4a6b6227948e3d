import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { MUTATIONS, mutated } from './mutations.ts';

/**
 * Lets this thread load the mutated copy of one module in place of it, and returns whether it has done so. To be called
 * before the module is imported.
 */
export function applyMutation(name: string | undefined): () => boolean {
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
  return () => isApplied;
}
