import { z } from 'zod';
import type { OperatorAct } from '#libs/database';
import type { OperatorCaller, OperatorCredential } from '../access/caller.js';
import { lineOfText } from '../contract/text.js';

/** Why an operator does something; kept with the act, and shown to the tenant it concerns. */
export const reasonText = lineOfText(1_000).meta({
  description: 'Why; kept in the platform’s and the tenant’s audit.',
});

/** Whether a mail says the reason too. */
export const mailReason = z.boolean().default(false).meta({
  description: 'Whether the mail that the tenant’s owners get says the reason.',
});

/** Path parameters of what concerns one tenant. */
export const tenantParams = z.strictObject({
  tenant: z
    .string()
    .regex(
      /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$/,
      'a tenant’s slug or id',
    )
    .meta({ description: 'The tenant’s slug or id; where a slug is written as another tenant’s id, the id counts.' }),
});

/** How the operator was known, so that the key for emergencies stands out. */
function byOf(credential: OperatorCredential): string {
  return credential.kind === 'break_glass' ? credential.kind : `${credential.kind}:${credential.id}`;
}

/** An operator's act as the platform's audit keeps it. */
export function actOf(
  caller: OperatorCaller,
  act: Pick<OperatorAct, 'action' | 'reason' | 'tenantId' | 'details'>,
): OperatorAct {
  return { operatorId: caller.operatorId, ...act, details: { ...act.details, by: byOf(caller.credential) } };
}

/** The act of looking at something. */
export function lookOf(caller: OperatorCaller, action: string, tenantId?: string): OperatorAct {
  return actOf(caller, { action, reason: 'read', ...(tenantId === undefined ? {} : { tenantId }) });
}
