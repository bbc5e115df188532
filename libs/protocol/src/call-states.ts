import { z } from 'zod';

/** Seconds that the state of a call may be good for. */
export const STATE_SECONDS_MAX = 900;

/** SHA-256 of the request that a state is of, in base64url. */
const request = z.string().regex(/^[\w-]{43}$/);
const state = z.string().regex(/^[\w-]{32,512}$/);

/**
 * What a worker may ask about states of calls (MCP 2026-07-28, MRTR: `requestState`): to have one made, or one that a
 * client brought taken, which is good once. Whose it is and what for is never in it, but for the request.
 */
export const stateQuestionSchema = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('seal'), request, seconds: z.int().min(1).max(STATE_SECONDS_MAX) }),
  z.strictObject({ ask: z.literal('redeem'), request, state: z.string().max(2_048) }),
]);

/** A question about the state of a call. */
export type StateQuestion = z.infer<typeof stateQuestionSchema>;

/** What making one is answered with. */
export const sealedStateSchema = z.object({ state });
