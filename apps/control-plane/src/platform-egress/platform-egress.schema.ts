import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';

const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** An exact host: a name in lower case, or an address in its canonical form. Never a pattern or a range. */
const host = z
  .string()
  .max(253)
  .transform((text) => text.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
  .transform((text) => (ipaddr.isValid(text) ? ipaddr.parse(text).toString() : text))
  .refine((text) => ipaddr.isValid(text) || NAME.test(text), 'an exact host name or IP address');

const allowanceSchema = z
  .strictObject({ id: z.uuid(), host: z.string(), port: z.int(), reason: z.string(), created_at: z.iso.datetime() })
  .meta({ id: 'EgressAllowance' });

/** `GET /admin/v1/tenants/{tenant}/egress-allowances` */
export const listAllowances = contract({
  summary: 'List the private addresses a tenant’s tools may call.',
  params: tenantParams,
  answer: {
    status: 200,
    means: 'The allowances.',
    schema: z.strictObject({ egress_allowances: z.array(allowanceSchema) }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/egress-allowances` */
export const addAllowance = contract({
  summary: 'Let a tenant’s tools call one private address, which is refused otherwise.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ host, port: z.int().min(1).max(65_535), reason: reasonText })),
  answer: { status: 201, means: 'The allowance.', schema: z.strictObject({ egress_allowance: allowanceSchema }) },
  refuses: ['conflict'],
});

/** `DELETE /admin/v1/tenants/{tenant}/egress-allowances/{id}` */
export const removeAllowance = contract({
  summary: 'Withdraw an allowance.',
  params: tenantParams.extend({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'The allowance is gone.' },
});
