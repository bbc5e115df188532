import { ConfigError, ringOf, type Secret } from '#libs/config';
import { urlForRole, type DatabaseRole } from '../roles.js';
import { isWrongPassword } from './sql-errors.js';

/** Thrown when PostgreSQL takes no password of a role: those of other keys, or no such role yet. */
export class RoleRefused extends ConfigError {}

/**
 * Where to connect as a role while the master key is replaced: its password derives from one of the keys, and `migrate`
 * may change from which at any time. What worked last is tried first.
 */
export class RoleUrls {
  readonly #urls: readonly string[];
  #at = 0;

  constructor({
    databaseUrl,
    role,
    masterKey,
  }: {
    readonly databaseUrl: string;
    readonly role: DatabaseRole;
    readonly masterKey: Secret;
  }) {
    this.#urls = [...new Set(ringOf(masterKey).map((key) => urlForRole(databaseUrl, role, key)))];
  }

  /** What `open` makes of the first URL whose password is taken. @throws RoleRefused where none is, or what `open` throws */
  async connect<Opened>(open: (url: string) => Promise<Opened>): Promise<Opened> {
    for (let refused = 0; ; refused += 1) {
      const url = this.#urls[this.#at] ?? '';
      try {
        return await open(url);
      } catch (error) {
        if (!isWrongPassword(error)) throw error;
        this.#at = (this.#at + 1) % this.#urls.length;
        if (refused + 1 >= this.#urls.length) throw refusal(url, error);
      }
    }
  }
}

function refusal(url: string, cause: unknown): RoleRefused {
  const role = new URL(url).username;
  return new RoleRefused(
    `PostgreSQL refuses the password of ${role} that derives from WHARF_MASTER_KEY: set the key that this database was set up with, or, where the key is being replaced, name both and run \`npm run migrate\`; it also makes the role where there is none yet.`,
    { cause },
  );
}
