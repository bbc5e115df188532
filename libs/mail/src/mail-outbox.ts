import type { Secret } from '#libs/config';
import { newId, type Transaction } from '#libs/database';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';
import { isNobodysAddress } from './nobodys-address.js';

/** One mail to one person. */
export interface Mail {
  /** Nobody's mail is written like any other and thrown away: only the reader of the outbox learns the difference. */
  readonly to: string | undefined;
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
}

/** A mail as it is queued. */
export interface NewMail extends Mail {
  readonly usefulSeconds: number;
  /** Whose account it is about: it goes with them. Left out where it is nobody's, or the reader has no account yet. */
  readonly accountId?: string | undefined;
}

/** A mail that one sender has claimed. */
export interface ClaimedMail extends Mail {
  readonly id: string;
  readonly attempts: number;
}

interface MailRow {
  readonly id: string;
  readonly sealed: Buffer;
  readonly attempts: number;
}

/**
 * Writes a mail to the outbox in the caller's transaction; the background service sends it after the commit. Address,
 * subject and text, and with them the token of a link, are sealed under the master key for this row, and the row is
 * deleted as soon as the mail is sent or its link has expired.
 */
export async function queueMail(tx: Transaction, masterKey: Secret, mail: NewMail): Promise<void> {
  const id = newId();
  const { subject, text, usefulSeconds, accountId = newId() } = mail;
  const to = mail.to !== undefined && isNobodysAddress(mail.to) ? undefined : mail.to;
  const sealed = sealWithMaster(masterKey, purposeOf(id), Buffer.from(JSON.stringify({ to, subject, text })));
  await tx.query(
    `insert into mail_outbox (id, sealed, expires_at, root_key_id, account_id)
     values ($1, $2, now() + make_interval(secs => $3), $4, $5)`,
    [id, sealed, usefulSeconds, masterKeyId(masterKey), accountId],
  );
}

/**
 * Claims mails for one sender. States: waiting → claimed for `leaseSeconds` → sent and deleted, or due again. What a
 * crashed sender had claimed is due again when its lease is over, so a mail may arrive twice and never not at all.
 */
export async function claimMails(
  tx: Transaction,
  masterKey: Secret,
  { max, leaseSeconds }: { readonly max: number; readonly leaseSeconds: number },
): Promise<ClaimedMail[]> {
  await tx.query(`delete from mail_outbox where expires_at < now()`);
  const [rows]: [MailRow[], number] = await tx.query(
    `update mail_outbox m set attempts = m.attempts + 1, due_at = now() + make_interval(secs => $2)
     from (select id from mail_outbox where due_at <= now() order by due_at limit $1 for update skip locked) due
     where m.id = due.id returning m.id, m.sealed, m.attempts`,
    [max, leaseSeconds],
  );
  return rows.map(({ id, sealed, attempts }) => ({
    // What was sealed here has this shape.
    ...(JSON.parse(openWithMaster(masterKey, purposeOf(id), sealed).toString()) as Mail),
    id,
    attempts,
  }));
}

/** The mail was sent, or will never be. */
export async function forgetMail(tx: Transaction, id: string): Promise<void> {
  await tx.query(`delete from mail_outbox where id = $1`, [id]);
}

/** The mail could not be sent now; it is due again after `seconds`. */
export async function postponeMail(tx: Transaction, id: string, seconds: number): Promise<void> {
  await tx.query(`update mail_outbox set due_at = now() + make_interval(secs => $2) where id = $1`, [id, seconds]);
}

function purposeOf(id: string): string {
  return `mail-outbox:${id}`;
}
