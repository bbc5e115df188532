import { z } from 'zod';
import type { OperatorAct } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import { lineOfText } from '../contract/text.js';

/** Why an operator does something; kept with the act, and shown to the tenant it concerns. */
export const reasonText = lineOfText(1_000).meta({
  description: 'Why; kept in the platform’s and the tenant’s audit.',
});

/** Path parameters of what concerns one tenant. */
export const tenantParams = z.strictObject({
  tenant: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .meta({ description: 'The tenant’s slug.' }),
});

/** An operator's act as the platform's audit keeps it. */
export function actOf(
  caller: OperatorCaller,
  act: Pick<OperatorAct, 'action' | 'reason' | 'tenantId' | 'details'>,
): OperatorAct {
  return { operatorId: caller.operatorId, ...act };
}

/** The act of looking at something. */
export function lookOf(caller: OperatorCaller, action: string, tenantId?: string): OperatorAct {
  return actOf(caller, { action, reason: 'read', ...(tenantId === undefined ? {} : { tenantId }) });
}
