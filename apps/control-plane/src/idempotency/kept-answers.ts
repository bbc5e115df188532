import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { NamedRequest } from './idempotency-key.js';

/** What is known of a named request that came before. */
export interface KeptRow {
  readonly requestHash: string;
  /** Undefined while it is not answered. */
  readonly answer: string | undefined;
}

/**
 * Where one kind of caller's named requests are kept. A claim has no answer until the first request is answered; it is
 * taken back when that request is refused, because a refusal changed nothing. Where the service fails in between, the
 * claim stays for its 24 hours: whether the request took effect is then for its caller to look up.
 */
export interface AnswerShelf {
  /** Claims the name; what is known of it where it is taken. */
  claim(named: NamedRequest): Promise<KeptRow | undefined>;
  keep(named: NamedRequest, answer: string): Promise<void>;
  release(named: NamedRequest): Promise<void>;
}

/** The first answer to a repeated request, or undefined for one that is to be worked on now. */
export async function firstAnswer(shelf: AnswerShelf, named: NamedRequest): Promise<string | undefined> {
  const kept = await shelf.claim(named);
  if (kept === undefined) return undefined;
  if (kept.requestHash !== named.requestHash) throw new AppError('idempotency_key_reused');
  if (kept.answer === undefined) {
    throw new AppError('idempotency_key_in_use', {
      message:
        'The first request with this Idempotency-Key is not answered yet. Ask again shortly; should it stay so, look ' +
        'whether it took effect before you send it under another key.',
      retryAfterSeconds: 1,
    });
  }
  return kept.answer;
}

/** Claims a name in one statement, whose rows say what was there; an expired claim is taken over. */
export async function claimRow<Row>(
  tx: Transaction,
  { table, key, values, columns }: ClaimStatement,
): Promise<Row | undefined> {
  const names = Object.keys(values);
  const places = names.map((_, at) => `$${at + 1}`);
  const claimed: unknown[] = await tx.query(
    `insert into ${table} (${names.join(', ')}, expires_at) values (${places.join(', ')}, now() + interval '24 hours')
     on conflict (${key.join(', ')}) do update set request_hash = excluded.request_hash, answer = null,
       created_at = now(), expires_at = excluded.expires_at where ${table}.expires_at < now()
     returning 1`,
    Object.values(values),
  );
  if (claimed.length > 0) return undefined;
  const found: Row[] = await tx.query(
    `select ${columns} from ${table} where ${key.map((name, at) => `${name} = $${at + 1}`).join(' and ')}`,
    key.map((name) => values[name]),
  );
  if (found[0] === undefined) throw new AppError('idempotency_key_in_use', { retryAfterSeconds: 1 });
  return found[0];
}

/** Which row a claim is; every name in it is a constant of ours. */
export interface ClaimStatement {
  readonly table: string;
  readonly key: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly columns: string;
}
