import type { z } from 'zod';
import type { Transaction } from '#libs/database';
import { enqueue, tellOwnersJob } from '#libs/jobs';

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
