import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { emailAddress } from '../signup/signup.schema.js';

/** `GET /admin/v1/tenants/{tenant}/owners` */
export const showOwners = contract({
  summary: 'Show how many owners a tenant has, and whether anybody can reach one of them.',
  description:
    'Nobody reaches an owner who came back from another database without an address (`@lost.invalid`). Who they are is the ' +
    'tenant’s own to know.',
  params: tenantParams,
  answer: {
    status: 200,
    means: 'The owners.',
    schema: z
      .strictObject({
        reachable: z.int().min(0),
        unreachable: z.int().min(0).meta({ description: 'Owners whose address is nobody’s.' }),
      })
      .meta({ id: 'TenantOwners' }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/owners` */
export const appointOwner = contract({
  summary: 'Give a tenant an owner where nobody can reach one.',
  description:
    'A member with this address becomes an owner at once; anybody else is invited by mail, and is one once they have accepted. ' +
    'Make sure by other means that the tenant is theirs. Refused while an owner can be reached: owners make owners.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ email: emailAddress, reason: reasonText })),
  answer: {
    status: 201,
    means: 'They are an owner, or are invited to become one.',
    schema: z.strictObject({
      became: z.enum(['owner', 'invited']),
      expires_at: z.iso.datetime().nullable().meta({ description: 'Until when the invitation can be accepted.' }),
    }),
  },
  refuses: ['conflict'],
});
