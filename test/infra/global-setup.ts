import { installSst } from './install-sst.ts';

// This takes some minutes the first time and none later. vitest calls the named export.
export const setup = installSst;
