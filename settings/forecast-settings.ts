import * as z from 'zod';

/** What the server does with a request whose packages cannot be installed: refuse it, or build it with a warning. */
export const forecastSettings = { REFUSE_IMPOSSIBLE: z.enum(['refuse', 'warn']).default('refuse') };
