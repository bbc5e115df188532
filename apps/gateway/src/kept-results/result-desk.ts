import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#libs/errors';
import { allowsTool } from '#libs/identity';
import {
  contentOf,
  KEPT_RESULT_BYTES_MAX,
  partsOf,
  resultQuestionSchema,
  withContent,
  type ResultQuestion,
} from '#libs/protocol';
import type { ToolScopes } from '../access/tool-scopes.js';
import { QuestionTurns, type TurnBounds } from '../limits/question-turns.js';
import type { MountedTool } from '../routing/route-tools.js';
import type { PlacedCall } from '../sessions/place.js';
import { partOf } from './part-of.js';
import type { RedisRoom } from './redis-room.js';
import type { ResultOwner, ResultStore } from './result-store.js';
import { UnsentAnswers } from './unsent-answers.js';

type Ask<Kind extends ResultQuestion['ask']> = Extract<ResultQuestion, { ask: Kind }>;

const ID_BYTES = 24;
/** Each takes its bytes of memory several times over, here, on the way to its worker, and on the way back. */
const TURNS: TurnBounds = {
  atOnce: 4,
  ofTenantAtOnce: 2,
  ofTenantWaiting: 32,
  waitMs: 10_000,
  refusal: {
    message: 'Too many large answers are read at once by this tenant. Read it again in a few seconds.',
    rule: 'results.at_once',
  },
};

/** What the desk stands on, and how long results are kept. */
export interface ResultParts {
  readonly store: ResultStore;
  readonly room: RedisRoom;
  readonly tools: Pick<ToolScopes, 'shows'>;
  readonly seconds: number;
}

/** A worker's question, and the server that it is about. */
interface Asked {
  readonly serverSlug: string;
  readonly asked: Buffer;
}

/** Hears what a question comes to. */
export interface ResultHearing {
  readonly kept: (bytes: number) => void;
  /** Reading has begun: its turn lasts until this is called. */
  readonly begun: (end: () => void) => void;
}

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
  readonly #turns = new QuestionTurns(TURNS);
  /** What was read and its readers have not taken yet. */
  readonly unsent = new UnsentAnswers();

  constructor(private readonly parts: ResultParts) {}

  /** @throws AppError `invalid_params`, `not_found`, `too_large`, `unavailable`, `rate_limited` */
  async answer(call: PlacedCall, { serverSlug, asked }: Asked, hearing: ResultHearing): Promise<Buffer> {
    const payload = contentOf(asked);
    const parsed = resultQuestionSchema.safeParse(payload?.head);
    if (payload === undefined || !parsed.success) throw new AppError('invalid_params');
    const { data: question } = parsed;
    const { tenantId } = call.tenant;
    if (question.ask === 'read') {
      this.unsent.requireRoom(tenantId);
      hearing.begun(await this.#turns.begin(tenantId));
      return this.#read(call, serverSlug, question);
    }
    const answer = await this.#turns.take(tenantId, () => this.#keep(call, serverSlug, question, payload.content));
    hearing.kept(payload.content.length);
    return answer;
  }

  async #keep(call: PlacedCall, serverSlug: string, question: Ask<'keep'>, content: Buffer): Promise<Buffer> {
    const { tool, tenant } = call;
    if (tool?.serverSlug !== serverSlug) throw new AppError('not_found');
    if (content.length > KEPT_RESULT_BYTES_MAX) throw new AppError('too_large');
    const { ask: _, ...read } = question;
    const head: z.infer<typeof headSchema> = { ...read, tool: { name: tool.name, access: tool.access } };
    const id = randomBytes(ID_BYTES).toString('base64url');
    const { store, room, seconds } = this.parts;
    const bounds = { tenantBytes: tenant.limits.keptResultBytes, allBytes: await room.bytes(), seconds };
    const kept = await store.keep(ownerOf(call, serverSlug), id, withContent(head, content), bounds).catch(() => false); // while Redis is away the answer is shown cut
    if (!kept) throw new AppError('unavailable');
    return withContent({ id, seconds });
  }

  async #read(call: PlacedCall, serverSlug: string, { id, part }: Ask<'read'>): Promise<Buffer> {
    if (call.tool !== undefined) throw new AppError('not_found');
    const kept = await this.parts.store.find(ownerOf(call, serverSlug), id).catch((error: unknown) => {
      throw new AppError('unavailable', { cause: error, retryAfterSeconds: 1 });
    });
    const found = kept && contentOf(kept);
    if (found === undefined) throw new AppError('not_found');
    const { tool, ...read } = headSchema.parse(found.head);
    const called = { ...tool, serverSlug };
    if (!mayCall(call, called) || !(await this.parts.tools.shows(call.route, called))) throw new AppError('not_found');
    if (part === undefined) return withContent(read, found.content);
    const parts = { count: partsOf(found.content.length), bytes: found.content.length };
    return withContent({ ...read, parts }, partOf(found.content, read.text, part));
  }
}

function ownerOf({ tenant, principalBinding, target }: PlacedCall, serverSlug: string): ResultOwner {
  return { tenantId: tenant.tenantId, principal: principalBinding, resource: target.resource, serverSlug };
}

/** What came of a call is for whoever might make it now, as `ToolScopes` judges it, where the tool is still to be called. */
function mayCall({ tenant, principal, route }: PlacedCall, tool: MountedTool): boolean {
  const server = tenant.servers.find(({ slug }) => slug === tool.serverSlug);
  const mount = route.mounts.find(({ serverSlug }) => serverSlug === tool.serverSlug);
  if (server === undefined || mount === undefined) return false;
  if (tool.access === 'write' && (!server.writes || mount.only === 'read')) return false;
  return allowsTool(principal.scopes, server, tool);
}
