import { installSst } from './install-sst.ts';

/** Some minutes the first time, nothing after. A named export is what vitest calls. */
export const setup = installSst;
