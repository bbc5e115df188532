import type { z } from 'zod';
import type { Transaction } from '#libs/database';
import { enqueue, tellOwnersJob } from '#libs/jobs';

const TOLD_A_DAY_MAX = 3;

/** What owners are told of their tenant, and with which words of the operators. */
export interface OwnerNews extends Pick<z.input<typeof tellOwnersJob.payload>, 'news'> {
  readonly contact: string | undefined;
  readonly reason?: string | undefined;
  /** Whether the mail says the reason. */
  readonly mail_reason?: boolean;
}

/** Has the owners told by mail, once the transaction is committed: no mail server is waited for here. */
export async function tellOwners(
  tx: Transaction,
  tenantId: string,
  { news, contact, reason, mail_reason: isTold }: OwnerNews,
): Promise<void> {
  await enqueue(tx, tenantId, tellOwnersJob, {
    tenantId,
    news,
    ...(isTold === true && reason !== undefined ? { reason } : {}),
    ...(contact === undefined ? {} : { contact }),
  });
}

/**
 * Tells of a deletion, of which `ofDay` were asked for within a day: an owner who changes their mind all day fills nobody's
 * mailbox. What owners heard last of it is never rosier than what is so: of too many, one more is told than is told to be taken back,
 * by whomever, and what operators ask for is told always.
 */
export async function tellOfDeletion(
  tx: Transaction,
  tenantId: string,
  { ofDay, ...told }: OwnerNews & { readonly ofDay: number },
): Promise<void> {
  const { news } = told;
  if (ofDay <= TOLD_A_DAY_MAX) return tellOwners(tx, tenantId, told);
  if (news.kind !== 'deletion_requested' || (news.by === 'owner' && ofDay > TOLD_A_DAY_MAX + 1)) return;
  await tellOwners(tx, tenantId, { ...told, news: { ...news, often: true } });
}
