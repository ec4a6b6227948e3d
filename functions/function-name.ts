/** The functions that are deployed on their own; each has a folder of this name with a `handler.ts`. */
export const FUNCTION_NAMES = ['prepare', 'build-submit', 'status', 'catalogue', 'stats', 'store', 'docs', 'maintenance'] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];
