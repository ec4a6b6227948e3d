import manifest from '../package.json' with { type: 'json' };

/** Our version, as clients see it in `overview.json`. */
export const VERSION: string = manifest.version;
