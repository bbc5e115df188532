import { ProtocolError, type CallToolResult, type Notification } from '@modelcontextprotocol/server';
import type { Result } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { AppError, ERROR_CATALOGUE } from '#libs/errors';
import { COLLECTION, DOCUMENT_NAME, documentAt, type DocumentChange } from '#libs/protocol';
import { errorResult } from '../results/results.js';
import type { ToolChecks } from '../checks/tool-checks.js';
import type { Asker, KnowledgeDoor } from './knowledge-door.js';
import { runKnowledgeTool, type Given } from './knowledge-tools.js';
import { shownCollections, shows, type KnowledgeRun, type MountedKnowledge } from './mounted-knowledge.js';
import { oneLine } from './one-line.js';
import { resourceOf, writtenBy } from './resources.js';
import { Subscriptions } from './subscriptions.js';

type Params = Readonly<Record<string, unknown>>;

/** A request that is not for a tool, and whose it is. */
export interface KnowledgeRequest {
  readonly method: string;
  readonly params: Params;
  readonly caller: { readonly name: string; readonly s: number; readonly client?: object | undefined };
  readonly signal: AbortSignal;
}

const afterSchema = z.tuple([z.string().regex(COLLECTION), z.string().regex(DOCUMENT_NAME)]);
const completeSchema = z.object({
  ref: z.object({ uri: z.string() }),
  argument: z.object({ name: z.string(), value: z.string().max(200) }),
  context: z.object({ arguments: z.record(z.string(), z.string()).default({}) }).optional(),
});

/** Lists change with every document; what is kept in between is dropped when one does. */
const LIST_MS = 5_000;
/** What is made of a release alone. */
const TEMPLATE_MS = 60_000;

/** Serves the documents of a route's knowledge servers: as resources, and by tools. */
export class KnowledgeServers {
  readonly #subscriptions = new Subscriptions();

  readonly #door: KnowledgeDoor;

  constructor(door: KnowledgeDoor) {
    this.#door = door;
  }

  /** Checks the arguments and runs a tool. */
  async runTool(
    { mounted, does }: KnowledgeRun,
    checks: ToolChecks,
    given: unknown,
    asking: { readonly s: number; readonly signal: AbortSignal; readonly onInvalid: () => void },
  ): Promise<CallToolResult> {
    const fault = checks.arguments.explainFault(given);
    if (fault !== undefined) {
      asking.onInvalid();
      return errorResult(fault);
    }
    const asker = { s: asking.s, signal: asking.signal, serverSlug: mounted.serverSlug };
    return runKnowledgeTool(this.#door, { mounted, does, given: given as Given, asker }); // the check above
  }

  /** Answers a request about resources. @throws ProtocolError for what is not there, or may not be read */
  answer(mounted: MountedKnowledge, request: KnowledgeRequest): Promise<Result> {
    return this.#answer(mounted, request).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code === 'internal') throw error;
      // What its caller may not read does not exist for it: other servers' resources are none the worse.
      if (error.code === 'forbidden' && request.method === 'resources/list') return { resources: [] };
      if (error.code === 'forbidden') throw unknownResource(String(request.params['uri']));
      throw new ProtocolError(error.jsonRpcCode, error.message);
    });
  }

  async #answer(mounted: MountedKnowledge, { method, params, caller, signal }: KnowledgeRequest): Promise<Result> {
    const asker = { s: caller.s, serverSlug: mounted.serverSlug, signal };
    const uri = String(params['uri']);
    switch (method) {
      case 'resources/list':
        return { ...(await this.#list(mounted, asker, params['cursor'])), ...keepFor(caller, LIST_MS) };
      case 'resources/templates/list':
        return { resourceTemplates: [templateOf(mounted)], ...keepFor(caller, TEMPLATE_MS) };
      case 'resources/read':
        return this.#read(mounted, asker, uri);
      case 'resources/subscribe':
        placeOf(mounted, uri);
        this.#subscriptions.add(caller.name, uri);
        return {};
      case 'resources/unsubscribe':
        placeOf(mounted, uri);
        this.#subscriptions.remove(caller.name, uri);
        return {};
      case 'completion/complete':
        return this.#complete(mounted, asker, params);
      default:
        throw new ProtocolError(ERROR_CATALOGUE.method_not_found.jsonRpc, ERROR_CATALOGUE.method_not_found.title);
    }
  }

  /** What a session is told when documents have changed. */
  notificationsFor(caller: string, change: DocumentChange): Notification[] {
    return changeNotifications(change, this.#subscriptions.of(caller));
  }

  /** Forgets what a session has subscribed to. */
  end(caller: string): void {
    this.#subscriptions.end(caller);
  }

  async #list(mounted: MountedKnowledge, asker: Asker, cursor: unknown): Promise<Result> {
    const after = cursor === undefined ? {} : { after: readAfter(cursor) };
    const { documents, more } = await this.#door.ask<'list'>(asker, {
      ask: 'list',
      ...after,
      ...shownCollections(mounted.settings),
    });
    const last = documents.at(-1);
    const resources = documents.map((document) => resourceOf(mounted, document));
    if (!more || last === undefined) return { resources };
    return { resources, nextCursor: JSON.stringify([last.collection, last.name]) };
  }

  async #read(mounted: MountedKnowledge, asker: Asker, uri: string): Promise<Result> {
    const place = placeOf(mounted, uri);
    const { document } = await this.#door.ask<'read'>(asker, { ask: 'read', ...place }).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'not_found' ? unknownResource(uri) : error;
    });
    const { text, media_type: mimeType } = document;
    return { contents: [{ uri, mimeType, text, _meta: writtenBy(document) }] };
  }

  async #complete(mounted: MountedKnowledge, asker: Asker, params: Params): Promise<Result> {
    const parsed = completeSchema.safeParse(params);
    if (!parsed.success || parsed.data.ref.uri !== templateOf(mounted).uriTemplate)
      throw invalid('There is no such template here. Call resources/templates/list for those there are.');
    const { argument, context } = parsed.data;
    const given = context?.arguments['collection'];
    const collection = given !== undefined && shows(mounted.settings, given) ? { collection: given } : {};
    const { name: of, value } = argument;
    const prefix = oneLine(value);
    if (of !== 'collection' && of !== 'name') return { completion: { values: [] } };
    const question = { ask: 'complete', of, prefix, ...collection, ...shownCollections(mounted.settings) } as const;
    const { values, more } = await this.#door.ask<'complete'>(asker, question);
    return { completion: { values: [...values], hasMore: more } };
  }
}

/** What a listener that named these resources is told when documents have changed. */
export function changeNotifications({ serverSlug, uris }: DocumentChange, watched: Iterable<string>): Notification[] {
  const changed = (uri: string): boolean =>
    uris === null ? uri.startsWith(`knowledge://${serverSlug}/`) : uris.includes(uri);
  return [
    { method: 'notifications/resources/list_changed' },
    ...[...watched]
      .filter(changed)
      .map((uri) => ({ method: 'notifications/resources/updated' as const, params: { uri } })),
  ];
}

/** How long a client of the 2026 era may keep a list; the other era knows no such thing. */
function keepFor({ client }: KnowledgeRequest['caller'], ttlMs: number): object {
  return client === undefined ? {} : { ttlMs, cacheScope: 'private' };
}

function templateOf({ serverSlug }: MountedKnowledge) {
  return {
    uriTemplate: `knowledge://${serverSlug}/{collection}/{+name}`,
    name: `${serverSlug}-document`,
    title: 'A document',
    description: 'A document of the team, by its collection and name.',
  };
}

function placeOf({ serverSlug, settings }: MountedKnowledge, uri: string): { collection: string; name: string } {
  const place = documentAt(serverSlug, uri);
  if (place === undefined || !shows(settings, place.collection)) throw unknownResource(uri);
  return place;
}

function readAfter(cursor: unknown): { collection: string; name: string } {
  try {
    const [collection, name] = afterSchema.parse(JSON.parse(String(cursor)));
    return { collection, name };
  } catch {
    throw invalid('This cursor is not one of ours. Start the list again without one.');
  }
}

function unknownResource(uri: string): ProtocolError {
  const message = `There is no resource ${JSON.stringify(uri.slice(0, 300))} here. Search for it, or list the resources.`;
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message, { uri: uri.slice(0, 1_000) });
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message);
}
