import { isTimeout, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { allowsTool, type ServerScopes } from '#libs/identity';
import { DocumentDesk, type DocumentAccess } from '#libs/knowledge';
import type { CallReply } from '#libs/protocol';
import { actorOf } from '../dispatch/audit-entries.js';
import { isStream } from '../limits/admit.js';
import { QuestionTurns, type TurnBounds } from '../limits/question-turns.js';
import type { StateDesk } from '../call-states/state-desk.js';
import { CallResults, type ClosedResults } from '../kept-results/call-results.js';
import type { ResultDesk } from '../kept-results/result-desk.js';
import type { PlacedCall } from '../sessions/place.js';
import { DocumentChanges } from './document-changes.js';

type Ways = Pick<CallReply, 'onAsk' | 'onOpen'>;

/** What the door leads to, beside documents. */
export interface DocumentParts {
  readonly results: ResultDesk;
  readonly states: StateDesk;
  /** Hears whose documents were written; `*` where that is not known. */
  readonly onWritten: (tenantId: string) => void;
}

/** Connections of the pool that questions have to themselves. */
export const QUESTIONS_AT_ONCE = 4;
/** How long one may take in the database. */
export const QUESTION_MS = 5_000;
const TURNS: TurnBounds = {
  atOnce: QUESTIONS_AT_ONCE,
  ofTenantAtOnce: 2,
  ofTenantWaiting: 32,
  waitMs: 10_000,
  refusal: {
    message: 'Too many questions about documents run at once for this tenant. Ask again in a few seconds.',
    rule: 'documents.at_once',
  },
};

/**
 * The door between a call's worker and documents, results that are kept for its caller, and states of calls: tenant, server and rights are
 * those of the call, as the gateway has proved them, and never what the worker says.
 */
export class DocumentDoor {
  readonly #desk: DocumentDesk;
  readonly #changes = new DocumentChanges();
  readonly #turns = new QuestionTurns(TURNS);

  /** `database` is for questions alone, so that nobody's searches keep calls from being routed. */
  constructor(
    database: Database,
    private readonly parts: DocumentParts,
  ) {
    this.#desk = new DocumentDesk(database);
  }

  /** Takes what the database tells of changed documents (`wharf_documents`). */
  hear(payload: string): void {
    this.parts.onWritten(this.#changes.hear(payload));
  }

  /** How a call's worker is answered and told; `close` when the worker has answered the call, with so many bytes. */
  open(call: PlacedCall): Ways & { readonly close: (answerBytes: number) => ClosedResults } {
    const results = new CallResults(this.parts.results, call);
    let close = (): void => undefined;
    const onOpen: CallReply['onOpen'] = (tell) => {
      const readable = call.route.mounts.filter(({ serverSlug }) => accessOf(call, serverSlug).reads);
      close(); // it is opened once more at another runtime
      close = this.#changes.watch(call.tenant.tenantId, readable, tell);
    };
    return {
      onAsk: (serverSlug, question, about) => {
        if (about === 'results') return results.answer(serverSlug, question);
        if (about === 'states') return this.parts.states.answer(call, serverSlug, question);
        return this.#answer(accessOf(call, serverSlug), question);
      },
      ...(isStream(call.exchange) ? { onOpen } : {}),
      close: (answerBytes) => {
        close();
        return results.close(answerBytes);
      },
    };
  }

  /** How the worker of a call that nobody waits for is answered: as its principal may read, and no more. */
  openReading(call: PlacedCall): Pick<CallReply, 'onAsk'> {
    return {
      onAsk: (serverSlug, question, about) => {
        if (about === 'results' || about === 'states') return Promise.reject(new AppError('not_found'));
        return this.#answer({ ...accessOf(call, serverSlug), writes: false }, question);
      },
    };
  }

  async #answer(access: DocumentAccess, question: Buffer): Promise<Buffer> {
    try {
      const answer = await this.#turns.take(access.tenantId, () => this.#desk.answer(access, question));
      // Whoever writes meets what it wrote, before the database tells all gateways.
      if (access.writes) this.parts.onWritten(access.tenantId);
      return answer;
    } catch (error) {
      if (!isTimeout(error)) throw error;
      const message = 'This took too long to find. Ask for less: with more exact words, or in one collection.';
      throw new AppError('deadline_exceeded', { message, cause: error });
    }
  }
}

/** What a call may do with the documents of one of its servers: what its tool may, and without one, only read. */
function accessOf(call: PlacedCall, serverSlug: string): DocumentAccess {
  const { tenant, route, principal, tool } = call;
  const mount = route.mounts.find((mounted) => mounted.serverSlug === serverSlug);
  const elsewhere = tool !== undefined && tool.serverSlug !== serverSlug;
  const server = elsewhere ? undefined : mount && tenant.servers.find(({ slug }) => slug === serverSlug);
  const name = tool?.name ?? '';
  const allows = (known: ServerScopes, access: 'read' | 'write'): boolean =>
    allowsTool(principal.scopes, known, { name, access });
  return {
    tenantId: tenant.tenantId,
    serverSlug,
    reads: server !== undefined && allows(server, 'read'),
    writes: tool?.access === 'write' && server?.writes === true && mount?.only !== 'read' && allows(server, 'write'),
    actor: actorOf(principal),
  };
}
