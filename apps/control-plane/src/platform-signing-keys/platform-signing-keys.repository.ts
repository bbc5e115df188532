import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A key of the authorization server, as operators may see it. */
export interface SigningKeyRow {
  readonly kid: string;
  readonly alg: string;
  readonly created_at: Date;
  readonly signs_from: Date;
  readonly rotates_at: Date | null;
  readonly retires_at: Date | null;
}

/** The keys of the authorization server; it alone reads and makes their private parts. */
@Injectable()
export class PlatformSigningKeysRepository {
  async list(tx: Transaction): Promise<SigningKeyRow[]> {
    return tx.query(
      `select kid, alg, created_at, signs_from, rotates_at, retires_at from signing_keys order by signs_from desc, kid`,
    );
  }

  /** Asks for a successor of every key that has none. */
  async askForSuccessor(tx: Transaction): Promise<void> {
    await tx.query(`update signing_keys set rotates_at = now() where retires_at is null`);
  }

  /** Ends a key now; returns whether there was one to end. */
  async retire(tx: Transaction, kid: string): Promise<boolean> {
    const [rows] = await tx.query(
      `update signing_keys set retires_at = now()
       where kid = $1 and (retires_at is null or retires_at > now()) returning kid`,
      [kid],
    );
    return rows.length > 0;
  }
}
