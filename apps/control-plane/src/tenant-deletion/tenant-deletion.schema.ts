import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { deletionSchema } from './deletion-view.js';

/** `DELETE /v1/tenant` */
export const deleteTenant = contract({
  summary: 'Have the tenant deleted, with everything it owns, when its grace period is over.',
  description:
    'From the answer on everything is refused but looking at the deletion and taking it back. When the grace period of ' +
    'the plan is over, every key of the tenant is destroyed, then every row and file; a signed receipt of it stays with ' +
    'the operator. Only owners may ask for it.',
  query: z.strictObject({
    confirm: z.string().max(63).meta({ description: 'The tenant’s slug, so that it is this one.' }),
    reason: lineOfText(1_000).meta({ description: 'Why; kept in the audit log and on the receipt.' }),
  }),
  answer: { status: 202, means: 'The tenant is closed, and will be deleted.', schema: deletionSchema },
  refuses: ['conflict'],
});

/** `GET /v1/tenant/deletion` */
export const showDeletion = contract({
  summary: 'Show whether the tenant is to be deleted, and when.',
  answer: {
    status: 200,
    means: 'The deletion that was asked for last, if any.',
    schema: z.strictObject({
      deletion: deletionSchema.nullable(),
      legal_hold: z.boolean().meta({ description: 'Whether a legal hold keeps a deletion from beginning.' }),
    }),
  },
});

/** `POST /v1/tenant/restore` */
export const restoreTenant = contract({
  summary: 'Keep a tenant that was to be deleted; it works again at once.',
  description:
    'Only owners keep it, and only where the tenant itself asked: what an operator asked for, an operator takes back.',
  answer: { status: 200, means: 'The deletion is cancelled.', schema: deletionSchema },
  refuses: ['conflict'],
});
