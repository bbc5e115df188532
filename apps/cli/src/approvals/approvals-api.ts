import { z } from 'zod';

/** A call that waits for a person, as lists and decisions have it. */
export const approvalSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  rule: z.string(),
  requester: z.looseObject({ kind: z.string(), id: z.string().optional() }),
  server: z.string(),
  tool: z.string(),
  expires_at: z.string(),
  reason: z.string().nullable(),
});

/** The one that is asked for says what its tool would be asked. */
export const shownSchema = approvalSchema.extend({ arguments: z.unknown() });

/** The same with its arguments. */
export type ShownApproval = z.infer<typeof shownSchema>;
