import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import type { Ask } from '#libs/tenant-archive';

/**
 * The person with this address, or a new account with a password that nobody knows: only who reads its mails gets in. So it
 * is with an account whose address nobody has confirmed: whoever opened it may be anybody, and is signed out.
 */
export async function accountOf(ask: Ask, email: string, id: string): Promise<string> {
  const find = async (lock: string) =>
    (
      await ask<{ id: string; confirmed: boolean }>(
        `select id, email_verified_at is not null as confirmed from accounts where email = $1 ${lock}`,
        [email],
      )
    )[0];
  // One that is confirmed is not touched, nor locked: an import may last, and other tenants' rows refer to it.
  const known = await find('');
  if (known?.confirmed === true) return known.id;
  const found = await find('for no key update');
  if (found?.confirmed === true) return found.id;
  const unknown = await hash(randomBytes(32).toString('base64'));
  if (found !== undefined) {
    await shut(ask, found.id, unknown);
    return found.id;
  }
  const [made] = await ask<{ id: string }>(
    `insert into accounts (id, email, password_hash)
     select case when exists (select from accounts where id = $1) then gen_random_uuid() else $1 end, $2, $3 returning id`,
    [id, email, unknown],
  );
  return made?.id ?? id;
}

/** Takes an account from whoever knows its password now. */
async function shut(ask: Ask, id: string, passwordHash: string): Promise<void> {
  await ask(`update accounts set password_hash = $2, sessions_ended_at = now() where id = $1`, [id, passwordHash]);
  await ask(`delete from oauth_artifacts where account_id = $1`, [id]);
}
