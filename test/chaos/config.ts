/** The file with the offset of the clock (`stepped-clock.ts`), in processes that follow one. */
export const clockFile = (): string | undefined => process.env['CHAOS_CLOCK'];
