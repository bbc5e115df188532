import { z } from 'zod';
import { contract } from '../contract/contract.js';

const memberSchema = z
  .strictObject({
    account_id: z.uuid(),
    email: z.string(),
    role: z.enum(['owner', 'admin', 'developer', 'auditor', 'user']),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Member' });

/** `GET /v1/members` */
export const listMembers = contract({
  summary: 'List the tenant’s members with their roles.',
  answer: {
    status: 200,
    means: 'The members, oldest first.',
    schema: z.strictObject({ members: z.array(memberSchema) }),
  },
});
