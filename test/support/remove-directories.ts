import { afterAll } from 'vitest';
import { removeDirectoriesOfFile } from './temporary-directory.ts';

// Test files that share a process share this module of directories, which registers its own hook for the first file only.
afterAll(removeDirectoriesOfFile);
