import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOL_PATH } from './sandbox.ts';

/** Returns the absolute path of an executable in the fixed tool path. */
export async function findTool(name: string, path = TOOL_PATH): Promise<string | undefined> {
  for (const directory of path.split(':')) {
    const file = join(directory, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}
