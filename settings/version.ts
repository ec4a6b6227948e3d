import manifest from '../package.json' with { type: 'json' };

/** The version of this server, which clients see in `overview.json`. */
export const VERSION: string = manifest.version;
