import { z } from 'zod';
import type { ShownRecord } from '#libs/audit';
import { toolFacts, UnknownFact, unknownMap, type RequestFacts, type ToolCallFacts } from '#libs/policies';
import type { MemberNow, ReleaseTools } from './recorded-calls.repository.js';

/** What recorded calls are completed with, by id. */
export interface Surroundings {
  readonly members: ReadonlyMap<string, MemberNow>;
  readonly releases: ReadonlyMap<string, ReleaseTools>;
}

const detailsSchema = z.object({
  name: z.string().default(''),
  server: z.string().default(''),
  release: z.object({ id: z.string() }).optional(),
  arguments: z.unknown().optional(),
});

/** Who asked, whence and when, as far as it is in the record. */
export function requestFacts({ actor, at, source_address: address }: ShownRecord, known: Surroundings): RequestFacts {
  const id = String(actor['id'] ?? '');
  const kind = actor.kind === 'person' || actor.kind === 'client' ? actor.kind : 'api-key';
  const member = kind === 'person' ? known.members.get(id) : undefined;
  const client = kind === 'person' ? String(actor['client'] ?? '') : kind === 'client' ? id : `api-key:${id}`;
  return {
    principal: { kind, id, role: member?.role ?? '', groups: member?.groups ?? [], scopes: [] },
    client: { id: client },
    source: { address: address ?? '' },
    now: new Date(at),
    region: '',
  };
}

/** The call of a tool that a record is of. @throws UnknownFact where its release no longer says which tool that was */
export function toolCallFacts(record: ShownRecord, known: Surroundings): ToolCallFacts {
  const { name, server, release, arguments: given } = detailsSchema.parse(record.details);
  const tools = known.releases.get(release?.id ?? '');
  const own = [name, name.slice(`${server}__`.length)].find((each) => tools?.tools[each] !== undefined);
  const access = own === undefined ? undefined : tools?.tools[own];
  if (tools === undefined || own === undefined || access === undefined) throw new UnknownFact('the tool');
  const hints = tools.hints === null ? undefined : (tools.hints[own] ?? {});
  return {
    ...requestFacts(record, known),
    tool: toolFacts({ name: own, serverSlug: server, access, hints }),
    arguments: isRecorded(given) ? given : unknownMap('the arguments'),
  };
}

/** What was too large to be recorded says so instead. */
function isRecorded(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !('omitted_bytes' in given);
}

/** What a rule asks about that this record cannot tell, if anything. */
export function unrecorded(expression: string, names: ReadonlySet<string>, record: ShownRecord): string | undefined {
  if (names.has('region')) return 'the region';
  if (names.has('source') && record.source_address === null) return 'the address';
  return names.has('principal') && /\bscopes\b/.test(expression) ? 'the scopes' : undefined;
}
