import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#libs/errors';
import { allowsTool } from '#libs/identity';
import {
  contentOf,
  KEPT_RESULT_BYTES_MAX,
  resultQuestionSchema,
  withContent,
  type ResultQuestion,
} from '#libs/protocol';
import type { MountedTool } from '../routing/route-tools.js';
import type { PlacedCall } from '../sessions/place.js';
import type { ResultBounds, ResultOwner, ResultStore } from './result-store.js';

type Ask<Kind extends ResultQuestion['ask']> = Extract<ResultQuestion, { ask: Kind }>;

const ID_BYTES = 24;

/** What stands before a kept answer: how it is read, and the tool that it is of. */
const headSchema = z.strictObject({
  media_type: z.string(),
  text: z.boolean(),
  tool: z.strictObject({ name: z.string(), access: z.enum(['read', 'write']) }),
});

/**
 * Keeps results of tools for the ones who called them, and gives them back: tenant, principal, URL and server are those of
 * the call, and never what the worker says.
 */
export class ResultDesk {
  constructor(
    private readonly store: ResultStore,
    private readonly bounds: Omit<ResultBounds, 'tenantBytes'>,
  ) {}

  /** `onKept` hears how many bytes were kept. @throws AppError `invalid_params`, `not_found`, `too_large`, `unavailable` */
  async answer(call: PlacedCall, serverSlug: string, asked: Buffer, onKept: (bytes: number) => void): Promise<Buffer> {
    const payload = contentOf(asked);
    const parsed = resultQuestionSchema.safeParse(payload?.head);
    if (payload === undefined || !parsed.success) throw new AppError('invalid_params');
    const { data: question } = parsed;
    if (question.ask === 'read') return this.#read(call, serverSlug, question);
    const answer = await this.#keep(call, serverSlug, question, payload.content);
    onKept(payload.content.length);
    return answer;
  }

  async #keep(call: PlacedCall, serverSlug: string, question: Ask<'keep'>, content: Buffer): Promise<Buffer> {
    const { tool, tenant } = call;
    if (tool?.serverSlug !== serverSlug) throw new AppError('not_found');
    if (content.length > KEPT_RESULT_BYTES_MAX) throw new AppError('too_large');
    const { ask: _, ...read } = question;
    const head: z.infer<typeof headSchema> = { ...read, tool: { name: tool.name, access: tool.access } };
    const id = randomBytes(ID_BYTES).toString('base64url');
    const bounds = { ...this.bounds, tenantBytes: tenant.limits.keptResultBytes };
    const kept = await this.store
      .keep(ownerOf(call, serverSlug), id, withContent(head, content), bounds)
      .catch(() => false); // while Redis is away the answer is shown cut
    if (!kept) throw new AppError('unavailable');
    return withContent({ id, seconds: this.bounds.seconds });
  }

  async #read(call: PlacedCall, serverSlug: string, { id }: Ask<'read'>): Promise<Buffer> {
    if (call.tool !== undefined) throw new AppError('not_found');
    const kept = await this.store.find(ownerOf(call, serverSlug), id).catch((error: unknown) => {
      throw new AppError('unavailable', { cause: error, retryAfterSeconds: 1 });
    });
    const found = kept && contentOf(kept);
    if (found === undefined) throw new AppError('not_found');
    const { tool, ...read } = headSchema.parse(found.head);
    if (!mayCall(call, { ...tool, serverSlug })) throw new AppError('not_found');
    return withContent(read, found.content);
  }
}

function ownerOf({ tenant, principalBinding, target }: PlacedCall, serverSlug: string): ResultOwner {
  return { tenantId: tenant.tenantId, principal: principalBinding, resource: target.resource, serverSlug };
}

/** What came of a call is for whoever might make it now, as `ToolScopes` judges it. */
function mayCall({ tenant, principal }: PlacedCall, tool: MountedTool): boolean {
  const server = tenant.servers.find(({ slug }) => slug === tool.serverSlug);
  if (server === undefined || (tool.access === 'write' && !server.writes)) return false;
  return allowsTool(principal.scopes, server, tool);
}
