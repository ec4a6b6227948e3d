import { applyMutation } from './apply-mutation.ts';

// Loaded by `node --import 'preload-mutation.ts?<mutation>'` before anything else, in the main thread and in every
// worker: the command then simulates a server with that fault.
applyMutation(decodeURIComponent(new URL(import.meta.url).search.slice(1)));
