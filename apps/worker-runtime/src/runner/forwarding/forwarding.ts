import { ProtocolError, type Server, type ServerCapabilities, type ServerContext } from '@modelcontextprotocol/server';
import type { Result } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Envelope, Offers } from '#libs/protocol';
import { readCursor, writeCursor } from './cursor.js';
import { missingPage } from '../upstream-sessions/mounted-upstream.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import type { MountedServer } from '../hosting/hosted-server.js';

type Params = Readonly<Record<string, unknown>>;

/** Makes a request of a third-party server for whoever made the request that `context` is of. */
export type Forward = (
  server: MountedServer,
  request: { readonly method: string; readonly params: Params },
  context: ServerContext,
) => Promise<Result>;

/** What is forwarded, and to whom. */
export interface Forwarding {
  readonly era: Envelope['era'];
  readonly servers: readonly MountedServer[];
  readonly forward: Forward;
}

type Offer = keyof Offers;

/** The tasks extension, whose method names the SDK knows from the 2025 era. */
const TASKS = 'io.modelcontextprotocol/tasks';
const TASK_METHODS = ['tasks/get', 'tasks/update', 'tasks/cancel'];
type Members = 'resources' | 'resourceTemplates' | 'prompts';

/** A resource that a server does not have: 2025 era, and since. */
const UNKNOWN = new Set([-32_002, ERROR_CATALOGUE.invalid_params.jsonRpc, ERROR_CATALOGUE.method_not_found.jsonRpc]);
const anything = z.looseObject({});

/** What third-party servers offer beside tools, as their callers are told. */
export function offeredCapabilities({ era, servers }: Pick<Forwarding, 'era' | 'servers'>): ServerCapabilities {
  const offers = (offer: Offer): boolean => offering(servers, offer).length > 0;
  const subscribe = servers.some(({ offers: own }) => own?.resources?.subscribe === true);
  const extensions = extensionsOf(era, servers);
  return {
    ...(offers('resources') ? { resources: servers.every(isResults) ? {} : { subscribe, listChanged: true } } : {}),
    ...(offers('prompts') ? { prompts: { listChanged: true } } : {}),
    ...(offers('completions') ? { completions: {} } : {}),
    ...(offers('logging') ? { logging: {} } : {}),
    ...(Object.keys(extensions).length > 0 ? { extensions } : {}),
  };
}

/** The extensions of all servers; of two that have the same one, the first says how. Tasks are of the 2026 era. */
function extensionsOf(era: Envelope['era'], servers: readonly MountedServer[]): NonNullable<Offers['extensions']> {
  const all = Object.assign({}, ...servers.toReversed().map(({ offers }) => offers?.extensions)) as object;
  return Object.fromEntries(Object.entries(all).filter(([name]) => era === 'modern' || name !== TASKS));
}

/** Has an SDK server pass on what third-party servers offer beside tools. */
export function forwardOffers(server: Server, forwarding: Forwarding): void {
  const { era, servers } = forwarding;
  const resources = offering(servers, 'resources');
  const prompts = offering(servers, 'prompts');
  if (resources.length > 0) {
    const listed = resources.filter((owner) => !isResults(owner));
    handle(server, 'resources/list', (params, context) => list(forwarding, listed, 'resources', params, context));
    handle(server, 'resources/templates/list', (params, context) =>
      list(forwarding, listed, 'resourceTemplates', params, context),
    );
    const some = (method: string) => (params: Params, context: ServerContext) =>
      firstThatKnows(forwarding, resources, { method, params }, context);
    handle(server, 'resources/read', some('resources/read'));
    if (era === 'legacy') {
      // A 2026-era client names resources when it listens (`subscriptions/listen`).
      handle(server, 'resources/subscribe', some('resources/subscribe'));
      handle(server, 'resources/unsubscribe', some('resources/unsubscribe'));
    }
  }
  if (prompts.length > 0) {
    handle(server, 'prompts/list', (params, context) => list(forwarding, prompts, 'prompts', params, context));
    handle(server, 'prompts/get', (params, context) => {
      const [owner, name] = ownerOf(prompts, String(params['name']));
      return forwarding.forward(owner, { method: 'prompts/get', params: { ...params, name } }, context);
    });
  }
  if (offering(servers, 'completions').length > 0)
    handle(server, 'completion/complete', (params, context) => complete(forwarding, params, context));
  if (era === 'legacy' && offering(servers, 'logging').length > 0)
    handle(server, 'logging/setLevel', async (params, context) => {
      for (const owner of offering(servers, 'logging'))
        await forwarding.forward(owner, { method: 'logging/setLevel', params }, context).catch((error: unknown) => {
          if (!(error instanceof RemoteFailure)) throw error; // the others hear it
        });
      return {};
    });
  forwardExtensions(server, forwarding);
}

/** Methods that extensions define: to the first server with extensions that knows the method and what it names. */
function forwardExtensions(server: Server, forwarding: Forwarding): void {
  const servers = offering(forwarding.servers, 'extensions');
  if (servers.length === 0) return;
  const ask = (method: string, params: object | undefined, context: ServerContext): Promise<Result> =>
    firstThatKnows(forwarding, servers, { method, params: withoutMeta(params ?? {}) }, context);
  server.fallbackRequestHandler = ({ method, params }, context) => ask(method, params, context);
  if (TASKS in extensionsOf(forwarding.era, servers))
    for (const method of TASK_METHODS)
      server.setRequestHandler(method, { params: anything, result: anything }, (params, context) =>
        ask(method, params, context),
      );
}

function handle(
  server: Server,
  method: string,
  run: (params: Params, context: ServerContext) => Promise<Result>,
): void {
  // The SDK has checked the request by its method; what a third-party server answered is between it and the client.
  const handler = ({ params = {} }: { params?: object | undefined }, context: ServerContext) =>
    run(withoutMeta(params), context) as Promise<never>;
  server.setRequestHandler(method as 'resources/list', handler);
}

/** One page of a list: the servers' pages one after the other, in mount order. */
async function list(
  { forward }: Forwarding,
  servers: readonly MountedServer[],
  members: Members,
  { cursor }: Params,
  context: ServerContext,
): Promise<Result> {
  if (servers.length === 0 && cursor === undefined) return { [members]: [] };
  const at = readCursor(cursor, servers.length);
  const owner = servers[at.index];
  if (owner === undefined) throw invalid('This cursor is not one of ours. Start the list again without one.');
  const method = members === 'resourceTemplates' ? 'resources/templates/list' : `${members}/list`;
  const params = at.cursor === undefined ? {} : { cursor: at.cursor };
  const { nextCursor, ...page } = await forward(owner, { method, params }, context).catch((error: unknown) => {
    if (owner.kind === 'upstream' && error instanceof RemoteFailure) return missingPage(owner, error);
    // Many servers with resources have no templates, and do not know how to list them.
    if (error instanceof ProtocolError && error.code === ERROR_CATALOGUE.method_not_found.jsonRpc) return {} as Result;
    throw error;
  });
  const next = writeCursor(at.index, nextCursor, servers.length);
  const named = members === 'prompts' ? withPrefix(page['prompts'], owner.prefix) : page[members];
  return { ...page, [members]: named ?? [], ...(next === undefined ? {} : { nextCursor: next }) };
}

function withPrefix(prompts: unknown, prefix: string): unknown {
  if (!Array.isArray(prompts)) return prompts;
  return prompts.map((prompt: object) => ({ ...prompt, name: `${prefix}${String(Reflect.get(prompt, 'name'))}` }));
}

/** A resource's address says nothing of who has it, so servers are asked in mount order until one knows it. */
async function firstThatKnows(
  { forward }: Forwarding,
  servers: readonly MountedServer[],
  request: { readonly method: string; readonly params: Params },
  context: ServerContext,
): Promise<Result> {
  let unknown: ProtocolError | undefined;
  let failure: RemoteFailure | undefined;
  for (const owner of servers) {
    try {
      return await forward(owner, request, context);
    } catch (error) {
      if (error instanceof RemoteFailure) failure ??= error;
      else if (!(error instanceof ProtocolError) || !UNKNOWN.has(error.code)) throw error;
      else unknown ??= error;
    }
  }
  if (failure !== undefined) throw failure; // who knows it may be the one that is not there
  throw unknown ?? invalid('There is no such resource here.');
}

function complete(forwarding: Forwarding, params: Params, context: ServerContext): Promise<Result> {
  const servers = offering(forwarding.servers, 'completions');
  const reference = params['ref'] as { readonly type?: unknown; readonly name?: unknown } | undefined; // checked by the SDK
  const method = 'completion/complete';
  if (reference?.type !== 'ref/prompt') return firstThatKnows(forwarding, servers, { method, params }, context);
  const [owner, name] = ownerOf(servers, String(reference.name));
  return forwarding.forward(owner, { method, params: { ...params, ref: { ...reference, name } } }, context);
}

/** Whose prompt this is, and its name there. @throws ProtocolError */
function ownerOf(servers: readonly MountedServer[], name: string): [MountedServer, string] {
  const [owner] = servers
    .filter(({ prefix }) => name.startsWith(prefix))
    .toSorted((left, right) => right.prefix.length - left.prefix.length);
  if (owner === undefined)
    throw invalid(`There is no prompt ${JSON.stringify(name.slice(0, 128))} here. Call prompts/list for the names.`);
  return [owner, name.slice(owner.prefix.length)];
}

/** Kept results are for whoever has their address. */
function isResults({ kind }: MountedServer): boolean {
  return kind === 'results';
}

function offering(servers: readonly MountedServer[], offer: Offer): MountedServer[] {
  return servers.filter(({ offers }) => offers?.[offer] !== undefined);
}

function withoutMeta(params: object): Params {
  const { _meta: _, ...rest } = params as Params;
  return rest;
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message);
}
