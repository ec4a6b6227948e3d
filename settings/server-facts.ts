import type * as z from 'zod';
import type { ServerFacts } from '#core/catalogue/overview.ts';
import type { offerSettings } from './function-settings.ts';

/** The settings that the overview publishes. */
export type OfferConfig = { readonly [Name in keyof typeof offerSettings]: z.output<(typeof offerSettings)[Name]> };

/** What the overview says about the server. */
export const serverFacts = (config: OfferConfig, version: string): ServerFacts => ({
  version,
  contact: config.CONTACT,
  allow_defaults: config.ALLOW_DEFAULTS,
  repository_allow_list: config.REPOSITORY_ALLOW_LIST,
  max_custom_rootfs_size_mb: config.MAX_CUSTOM_ROOTFS_SIZE_MB,
  max_defaults_length: config.MAX_DEFAULTS_LENGTH,
});
