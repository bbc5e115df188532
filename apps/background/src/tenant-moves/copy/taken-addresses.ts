import type { Client } from 'pg';
import { NOBODYS_DOMAIN } from '#libs/mail';
import { CopyRefused } from './copy-refused.js';

const NOBODYS = `@${NOBODYS_DOMAIN}`;

/**
 * Takes the address from those returning people (`referred`) whom the common database does not have, and whose address is
 * another account's there; returns whose. It knew them once: their account is lost, or never came to be (a crash between two
 * commits), and whoever has the address opened a new one.
 *
 * They come back with an address that is nobody's (RFC 2606), as people whom nobody signs in as: their rows, and what was
 * recorded of them, stay theirs, in each tenant that they are a member of, whichever returns first. They are not made the
 * other account, even if both once confirmed the address: mailboxes pass from one to another, a second factor that guarded the
 * lost account would be walked around, and what is sealed or signed for the one opens for no other. So nobody becomes a member
 * by having an address; an owner invites it, as anybody else's. Nor is the move refused: who squats on an address would keep
 * a tenant from returning, and from being deleted.
 */
export async function freeTakenAddresses(target: Client): Promise<string[]> {
  // Who came so before, with a move that was not finished, has that address there.
  const { rows } = await target.query<{ id: string }>(
    `select r.id from referred r left join accounts a on a.id = r.id where r.email <> r.id || $1 and case
       when a.id is null then exists (select from accounts o where o.email = r.email) else a.email = a.id || $1 end
     order by 1`,
    [NOBODYS],
  );
  const people = rows.map(({ id }) => id);
  await target.query(
    `update referred set email = id || $1, email_verified_at = null, home_tenant_id = null, asserted_email = null
     where id = any($2)`,
    [NOBODYS, people],
  );
  return people;
}

/**
 * Refuses people whose address a dedicated database has as somebody else's whom the common one no longer knows.
 * @throws CopyRefused that names the address, and what is to be done
 */
export async function refuseTakenAddresses(target: Client): Promise<void> {
  const { rows } = await target.query<{ email: string }>(
    `select r.email from referred r join accounts a on a.email = r.email and a.id <> r.id order by 1 limit 1`,
  );
  if (rows[0] !== undefined)
    throw new CopyRefused(
      `The other database has ${rows[0].email} as the address of an account that the common one does not have. ` +
        'Move the tenants of that database back to the common one, which frees the address, then ask for the move again.',
    );
}
