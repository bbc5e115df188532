import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '#libs/config';
import type { KeyKeeper } from './key-keeper.js';

const BYTES_MAX = 16 * 1024;

/** Master keys in files, as a secret store mounts them: `file:/run/secrets/master.key`. A file may hold what a setting may. */
export class FileKeys implements KeyKeeper {
  readonly scheme = 'file:';

  async open(text: string): Promise<string> {
    const file = text.slice(this.scheme.length);
    try {
      if ((await stat(file)).size > BYTES_MAX) throw new Error('it is too large for a key');
      return (await readFile(file, 'utf8')).trim();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError(
        `The master key's file ${file} cannot be read (${why}). Correct WHARF_MASTER_KEY, or let this service read it.`,
        { cause: error },
      );
    }
  }
}
