import type { Mail } from '#libs/mail';
import { openWithMaster } from '#libs/secrets';
import type { AuthWorld } from './auth-world.fixture.js';

/** The mails to somebody that wait in the outbox, oldest first. */
export async function mailsTo(world: AuthWorld, email: string | undefined): Promise<Mail[]> {
  const { rows } = await world.owner.query<{ id: string; sealed: Buffer }>(
    `select id, sealed from mail_outbox order by created_at, id`,
  );
  const mails: Mail[] = rows.map(({ id, sealed }) =>
    JSON.parse(openWithMaster(world.store.masterKey, `mail-outbox:${id}`, sealed).toString()),
  );
  return mails.filter(({ to }) => to === email);
}

/** The link in the newest mail to somebody. @throws Error where there is none */
export async function newestLinkTo(world: AuthWorld, email: string): Promise<string> {
  const link = /https?:\S+/.exec((await mailsTo(world, email)).at(-1)?.text ?? '')?.[0];
  if (link === undefined) throw new Error(`no mail with a link to ${email}`);
  return link;
}
