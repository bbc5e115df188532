import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';

/** Of one network at one account in a quarter of an hour; signing in begins anew. */
const NETWORK_MAX = 5;
/** Of all networks together that the operator has not signed in from, in an hour. */
const STRANGERS_MAX = 600;
/** Wrong codes with the right password, of all those networks together, in a day. */
const STRANGERS_CODES_MAX = 10;
/** Records of attempts that were not judged, in an hour. */
const LOCKED_RECORDS_MAX = 60;
/** Networks that an operator is known to come from, and for how many days after they did last. */
const KNOWN_MAX = 10;
const KNOWN_DAYS = 90;

/** Where an attempt comes from: one network at one operator's account. */
export interface AttemptPlace {
  readonly operatorId: string;
  readonly network: string;
}

/** An attempt that may be judged, or one that may not: `isTold` where the log says so already. */
export type Attempt =
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'locked'; readonly isTold: boolean };

interface Counted {
  readonly known: boolean;
  readonly own: number;
  readonly strangers: number;
  readonly locked: number;
  readonly told: boolean;
}

/**
 * Attempts at operators' accounts:
 *
 *     password ──► code ──► (deleted)    the password was right, then the code was
 *     locked                             not judged: its network, or all that are strange together, have failed too often
 *
 * Each is written before it is judged, one after another for an account, so that many at once get no further than one
 * after the other. A network that the operator has signed in from is held up by its own failures alone.
 */
@Injectable()
export class OperatorAttemptsRepository {
  /** Counts an attempt as one with a wrong password, until it is known to be right. */
  async begin(tx: Transaction, place: AttemptPlace): Promise<Attempt> {
    const { operatorId, network } = place;
    await this.#takeTurn(tx, operatorId);
    await tx.query(`delete from operator_attempts where operator_id = $1 and at < now() - interval '1 day'`, [
      operatorId,
    ]);
    const { known, own, strangers, locked, told } = await this.#count(tx, place);
    const isLocked = own >= NETWORK_MAX || (!known && strangers >= STRANGERS_MAX);
    const isTold = told || locked >= LOCKED_RECORDS_MAX;
    const id = newId();
    if (!isLocked || !isTold)
      await tx.query(
        `insert into operator_attempts (id, operator_id, network, known, wrong)
         select $1, operator_id, $3, $4, $5 from operator_accounts where operator_id = $2`,
        [id, operatorId, network, known, isLocked ? 'locked' : 'password'],
      );
    return isLocked ? { kind: 'locked', isTold } : { kind: 'open', id };
  }

  /** Counts an attempt, whose password was right, as one with a wrong code; false where there have been too many of them. */
  async beginCode(tx: Transaction, { operatorId }: AttemptPlace, id: string): Promise<boolean> {
    await this.#takeTurn(tx, operatorId);
    const [, counted]: [unknown, number] = await tx.query(
      `update operator_attempts a set wrong = 'code' where a.id = $2 and a.operator_id = $1 and (a.known or (
         select count(*) from operator_attempts o
         where o.operator_id = $1 and o.wrong = 'code' and not o.known and o.at > now() - interval '1 day') < $3)`,
      [operatorId, id, STRANGERS_CODES_MAX],
    );
    return counted === 1;
  }

  /** The operator has signed in: what failed from there is forgotten, and they are known to come from there. */
  async succeed(tx: Transaction, { operatorId, network }: AttemptPlace): Promise<void> {
    await tx.query(`delete from operator_attempts where operator_id = $1 and network = $2`, [operatorId, network]);
    await tx.query(
      `insert into operator_networks (operator_id, network) values ($1, $2)
       on conflict (operator_id, network) do update set signed_in_at = now()`,
      [operatorId, network],
    );
    await tx.query(
      `delete from operator_networks where operator_id = $1 and network not in (
         select network from operator_networks where operator_id = $1 order by signed_in_at desc limit $2)`,
      [operatorId, KNOWN_MAX],
    );
  }

  async #takeTurn(tx: Transaction, operatorId: string): Promise<void> {
    await tx.query(`select from operator_accounts where operator_id = $1 for update`, [operatorId]);
  }

  async #count(tx: Transaction, { operatorId, network }: AttemptPlace): Promise<Counted> {
    const [counted]: [Counted] = await tx.query(
      `select exists (select from operator_networks n where n.operator_id = $1 and n.network = $2
           and n.signed_in_at > now() - make_interval(days => $3)) as known,
         count(*) filter (where network = $2 and wrong <> 'locked' and at > now() - interval '15 minutes')::int as own,
         count(*) filter (where not known and wrong <> 'locked' and at > now() - interval '1 hour')::int as strangers,
         count(*) filter (where wrong = 'locked' and at > now() - interval '1 hour')::int as locked,
         coalesce(bool_or(wrong = 'locked' and network = $2 and at > now() - interval '15 minutes'), false) as told
       from operator_attempts where operator_id = $1`,
      [operatorId, network, KNOWN_DAYS],
    );
    return counted;
  }
}
