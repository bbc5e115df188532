import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isOpenableAddress } from '#libs/addresses';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** An exact host: a name in lower case, or an address in its canonical form. Never a pattern or a range. */
const host = z
  .string()
  .max(253)
  .transform((text) => text.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
  .transform((text) => (ipaddr.isValid(text) ? ipaddr.parse(text).toString() : text))
  .refine((text) => ipaddr.isValid(text) || NAME.test(text), 'an exact host name or IP address')
  .refine(
    (text) => !ipaddr.isValid(text) || isOpenableAddress(text),
    'an address that can be opened: none that is link-local (169.254.0.0/16, fe80::/10), where clouds keep their keys, nor another special one',
  );

/** What may be opened as a range: networks that are nobody's on the public internet. Link-local is not among them. */
const NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8', 'fc00::/7'];
const PRIVATE = NETWORKS.map((text) => ipaddr.parseCIDR(text));

/** A private range in its canonical form. */
const range = z
  .string()
  .max(49)
  .refine(
    isPrivateRange,
    `a range within ${NETWORKS.join(', ')}, such as 10.20.0.0/16, with no address bits behind its prefix`,
  )
  .transform((text) => ipaddr.parseCIDR(text).join('/'));

const allowanceSchema = z
  .strictObject({
    id: z.uuid(),
    host: z.string().nullable(),
    range: z.string().nullable(),
    port: z.int(),
    reason: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'EgressAllowance' });

const port = z.int().min(1).max(65_535);

/** `GET /admin/v1/tenants/{tenant}/egress-allowances` */
export const listAllowances = contract({
  summary: 'List the private addresses and ranges a tenant’s tools may call.',
  params: tenantParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The allowances.',
    schema: z.strictObject({ egress_allowances: z.array(allowanceSchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/egress-allowances` */
export const addAllowance = contract({
  summary: 'Let a tenant’s tools call a private address, or all of a range, on one port; it is refused otherwise.',
  description:
    'A range never opens the addresses of the machine that the worker-runtime runs on; name those as hosts. What leads to the platform’s own PostgreSQL or Redis is refused (422).',
  params: tenantParams,
  body: jsonBody(
    z
      .strictObject({ host: host.optional(), range: range.optional(), port, reason: reasonText })
      .refine(({ host: one, range: many }) => (one === undefined) !== (many === undefined), 'Name `host` or `range`.')
      .transform(({ host: one = null, range: many = null, ...rest }) => ({ ...rest, host: one, range: many })),
  ),
  answer: { status: 201, means: 'The allowance.', schema: z.strictObject({ egress_allowance: allowanceSchema }) },
  refuses: ['conflict', 'unprocessable'],
});

/** `DELETE /admin/v1/tenants/{tenant}/egress-allowances/{id}` */
export const removeAllowance = contract({
  summary: 'Withdraw an allowance.',
  params: tenantParams.extend({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'The allowance is gone.' },
});

function isPrivateRange(text: string): boolean {
  if (!ipaddr.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  const canonical = ipaddr[address.kind() === 'ipv4' ? 'IPv4' : 'IPv6'].networkAddressFromCIDR(text);
  if (canonical.toString() !== address.toString()) return false;
  return PRIVATE.some(
    ([network, least]) => address.kind() === network.kind() && bits >= least && address.match(network, least),
  );
}
