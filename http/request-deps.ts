import type * as z from 'zod';
import { buildRequestParser, type ParseBuildRequest } from '#core/request/parse-build-request.ts';
import { type PreparationMemory, preparationMemory } from '#core/request/preparation-memory.ts';
import type { Policy } from '#core/request/validate-request.ts';
import type { requestSettings } from '#settings/function-settings.ts';
import { maxBodyBytes } from './json-body.ts';

export interface RequestDeps {
  readonly policy: Policy;
  readonly parseRequest: () => ParseBuildRequest;
  readonly maxBodyBytes: () => number;
  readonly memory: PreparationMemory;
}

/** Returns the deps that a function which takes build requests makes of its settings. */
export function requestDeps(config: { [Name in keyof typeof requestSettings]: z.output<(typeof requestSettings)[Name]> }): RequestDeps {
  const limits = { maxDefaultsLength: config.MAX_DEFAULTS_LENGTH, maxCustomRootfsSizeMb: config.MAX_CUSTOM_ROOTFS_SIZE_MB };
  const parse = buildRequestParser(limits);
  const bytes = maxBodyBytes(config.MAX_DEFAULTS_LENGTH);
  return {
    policy: { allowDefaults: config.ALLOW_DEFAULTS, repositoryAllowList: config.REPOSITORY_ALLOW_LIST, branches: config.BRANCHES },
    parseRequest: () => parse,
    maxBodyBytes: () => bytes,
    memory: preparationMemory(),
  };
}
