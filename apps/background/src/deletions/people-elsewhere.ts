import type { Database, Transaction } from '#libs/database';
import { forget, homesNow } from './people.repository.js';

/** Each table that names people may need a round, and each tenant that moves meanwhile. */
const ROUNDS_MAX = 100;

/** Thrown out of a transaction, which is rolled back: these people are to be asked for elsewhere first. */
class NotAsked extends Error {
  override readonly name = 'NotAsked';

  constructor(readonly people: readonly string[]) {
    super('people are to be asked for elsewhere first');
  }
}

/** Deletes those people whom no tenant knows any more; returns how many. */
export type ForgetPeople = (tx: Transaction, people: readonly string[]) => Promise<number>;

/**
 * Deletes people whom no tenant knows any more, with their second factors, sessions and mails.
 *
 * Every row that names a person refers to their account, of whichever tenant it is and whether who deletes sees it or not:
 * such a reference refuses. Rows of a tenant with a database of its own are there, and refer to a copy of the account. So
 * those databases are asked first, while no transaction is open. Whom they know, stays. Then accounts are deleted here, and
 * it is looked once more that no tenant has changed its home since they were asked: its rows, which refer to the account
 * where they are, may have gone there in between. Where one has, all is rolled back, and asked anew.
 */
export class PeopleElsewhere {
  readonly #asked = new Set<string>();
  readonly #known = new Set<string>();
  #homes = '';

  constructor(private readonly database: Pick<Database, 'asService' | 'asServiceAt'>) {}

  /** Runs `work`, which forgets people in its transaction, again until everybody was asked for. @throws TenantAway */
  async during<Result>(work: (forgetPeople: ForgetPeople) => Promise<Result>): Promise<Result> {
    for (let left = ROUNDS_MAX; ; left -= 1) {
      try {
        return await work((tx, people) => this.#forget(tx, people));
      } catch (error) {
        if (!(error instanceof NotAsked) || left === 0) throw error;
        await this.#ask(error.people);
      }
    }
  }

  async #forget(tx: Transaction, people: readonly string[]): Promise<number> {
    if (people.length === 0) return 0;
    const gone = await forget(
      tx,
      people.filter((id) => !this.#known.has(id)),
    );
    if (gone.length === 0) return 0;
    const homes = await homesNow(tx);
    const isSame = keyOf(homes) === this.#homes;
    if (homes.length > 0 && !(isSame && gone.every((id) => this.#asked.has(id)))) throw new NotAsked(people);
    return gone.length;
  }

  /** Learns whom of them tenants in databases of their own know. Copies that nobody there needs go. */
  async #ask(people: readonly string[]): Promise<void> {
    const homes = await this.database.asService(homesNow);
    if (keyOf(homes) !== this.#homes) {
      // What was told before somebody moved says nothing any more.
      this.#asked.clear();
      this.#known.clear();
      this.#homes = keyOf(homes);
    }
    for (const name of new Set(homes.map(({ database }) => database))) {
      const left = await this.database.asServiceAt(name, async (there): Promise<Array<{ id: string }>> => {
        await forget(there, people);
        return there.query(`select id from accounts where id = any($1)`, [people]);
      });
      for (const { id } of left) this.#known.add(id);
    }
    for (const id of people) this.#asked.add(id);
  }
}

function keyOf(homes: ReadonlyArray<object>): string {
  return JSON.stringify(homes);
}
