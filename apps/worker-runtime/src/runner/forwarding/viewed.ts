import { ProtocolError, type ServerContext } from '@modelcontextprotocol/server';
import type { Result } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import { passes, type NameFilter, type ToolView } from '#libs/protocol';
import { addressFilter } from './address-filter.js';
import type { Forward } from './forwarding.js';
import type { MountedServer } from '../hosting/hosted-server.js';

type Request = Parameters<Forward>[1];
type AddressFilter = ReturnType<typeof addressFilter>;

const RESOURCE_METHODS = new Set(['resources/read', 'resources/subscribe', 'resources/unsubscribe']);

/**
 * Requests of third-party servers as a profile lets them through: what it leaves out is not in their lists, and is
 * answered like what does not exist.
 */
export function viewed(view: ToolView | undefined, forward: Forward): Forward {
  if (view?.prompts === undefined && view?.resources === undefined) return forward;
  const { prompts = {}, resources: addresses = {} } = view;
  const resources = addressFilter(addresses);
  return async (owner: MountedServer, request: Request, context: ServerContext): Promise<Result> => {
    if (owner.kind === 'results') return forward(owner, request, context); // of tools that it lets through
    refuseHidden(request, owner.prefix, prompts, resources);
    const answer = await forward(owner, request, context);
    switch (request.method) {
      case 'prompts/list':
        return filtered(answer, 'prompts', 'name', (name) => passes(prompts, `${owner.prefix}${name}`));
      case 'resources/list':
        return filtered(answer, 'resources', 'uri', resources);
      case 'resources/templates/list':
        return filtered(answer, 'resourceTemplates', 'uriTemplate', resources);
      default:
        return answer;
    }
  };
}

/** Those of some addresses that a view lets through. */
export function visibleUris(view: ToolView | undefined, uris: ReadonlySet<string>): ReadonlySet<string> {
  const filter = view?.resources;
  return filter === undefined ? uris : new Set([...uris].filter(addressFilter(filter)));
}

function refuseHidden(
  { method, params }: Request,
  prefix: string,
  prompts: NameFilter,
  resources: AddressFilter,
): void {
  if (method === 'prompts/get') requirePrompt(prompts, `${prefix}${String(params['name'])}`);
  else if (RESOURCE_METHODS.has(method)) requireResource(resources, String(params['uri']));
  else if (method === 'completion/complete') {
    const reference = params['ref'] as { type?: unknown; name?: unknown; uri?: unknown } | undefined; // checked by the SDK
    if (reference?.type === 'ref/prompt') requirePrompt(prompts, `${prefix}${String(reference.name)}`);
    else requireResource(resources, String(reference?.uri));
  }
}

function requirePrompt(filter: NameFilter, name: string): void {
  if (!passes(filter, name))
    throw invalid(`There is no prompt ${JSON.stringify(name.slice(0, 128))} here. Call prompts/list for the names.`);
}

function requireResource(passing: AddressFilter, uri: string): void {
  if (!passing(uri)) throw invalid('There is no such resource here.');
}

function filtered(answer: Result, members: string, key: string, keeps: (text: string) => boolean): Result {
  const listed: unknown = answer[members];
  if (!Array.isArray(listed)) return answer;
  return { ...answer, [members]: listed.filter((member: object) => keeps(String(Reflect.get(member, key)))) };
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message);
}
