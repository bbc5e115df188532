import { cutText, type AuditActor, type DetailsOf } from '#libs/audit';
import { newId } from '#libs/database';
import { actorsOf, type Principal } from '#libs/identity';
import type { SpooledEntry } from '../audit-spool/records.js';
import type { Exchange } from '../edge/exchange.js';
import type { InboundCall } from '../edge/inbound-call.js';
import type { PlacedCall } from '../sessions/place.js';
import type { RoutedCall } from '../routing/route-table.js';
import type { LiveServer } from '../routing/tenants.repository.js';

const SUBJECT_LENGTH_MAX = 128;
const METHOD_LENGTH_MAX = 64;
/** Releases that a record names where no single one answers, as for a list on the tenant's own URL. */
const RELEASES_MAX = 32;

/** The entry of a call that is about to run; undefined for what leaves no trace (notifications, answers, pings, streams). */
export function callEntry(call: PlacedCall, server: LiveServer | undefined): SpooledEntry | undefined {
  const { head, era, payload } = call.exchange;
  if (head?.kind !== 'request' || head.method === undefined || head.method === 'ping') return undefined;
  const details: DetailsOf<'call.completed'> = {
    method: cutText(head.method, METHOD_LENGTH_MAX),
    ...named(head.subject),
    ...(call.tool === undefined || call.tool.name === head.subject ? {} : { tool: call.tool.name }),
    ...(server === undefined ? {} : { server: server.slug }),
    ...profileOf(call),
    era,
    ...releasesOf(call, server),
    ...(head.argumentsDigest === undefined ? {} : { arguments_digest: head.argumentsDigest }),
    ...(call.approval === undefined ? {} : { approval: call.approval }),
    bytes_in: payload.length,
  };
  const actor = actorOf(call.principal);
  return { ...entryFor(call, 'call.completed', actor), target: targetOf(call, server), details };
}

/** The entry of a call that was refused before it reached a worker, or by a policy. */
export function refusalEntry(
  event: 'call.refused' | 'call.denied',
  call: RoutedCall,
  principal: Principal | undefined,
  exchange: Exchange | undefined,
): SpooledEntry {
  const server = call.tenant.servers.find(({ slug }) => slug === call.target.serverSlug);
  const method = exchange?.head?.method;
  const details: DetailsOf<'call.refused'> = {
    ...(server === undefined ? {} : { server: server.slug }),
    ...profileOf(call),
    ...(method === undefined ? {} : { method: cutText(method, METHOD_LENGTH_MAX) }),
    ...named(exchange?.head?.subject),
  };
  const actor: AuditActor = principal === undefined ? { kind: 'anonymous' } : actorOf(principal);
  return { ...entryFor(call, event, actor), target: targetOf(call, server), details };
}

/** The entry of an API key's use. */
export function keyUseEntry(call: RoutedCall, keyId: string): SpooledEntry {
  return { ...entryFor(call, 'api_key.used', { kind: 'api-key', id: keyId }), target: `api_key:${keyId}` };
}

/** The server that a request is for; on the tenant's own URL its tool's prefix tells. */
export function calledServer(call: PlacedCall): LiveServer | undefined {
  const { head } = call.exchange;
  const tool = head?.method === 'tools/call' ? head.subject : undefined;
  const slug =
    call.target.serverSlug ??
    call.tool?.serverSlug ??
    call.route.mounts.find((mount) => tool?.startsWith(mount.prefix) === true)?.serverSlug;
  return call.tenant.servers.find((server) => server.slug === slug);
}

function profileOf({ target }: RoutedCall): { profile?: string } {
  return target.profile === undefined ? {} : { profile: target.profile.slug };
}

function named(subject: string | undefined): { name?: string } {
  return subject === undefined ? {} : { name: cutText(subject, SUBJECT_LENGTH_MAX) };
}

/** The release that answers, by the call's own route: a session keeps the releases that it began with. */
function releasesOf(call: PlacedCall, server: LiveServer | undefined): Partial<DetailsOf<'call.completed'>> {
  const { mounts } = call.route;
  const mount = mounts.length === 1 ? mounts[0] : mounts.find(({ serverSlug }) => serverSlug === server?.slug);
  if (mount !== undefined) return { release: { id: mount.releaseId, digest: mount.digest } };
  return { releases: mounts.slice(0, RELEASES_MAX).map(({ releaseId, digest }) => ({ id: releaseId, digest })) };
}

function entryFor(
  call: RoutedCall,
  event: SpooledEntry['event'],
  actor: AuditActor,
): Omit<SpooledEntry, 'target' | 'details'> {
  return { tenantId: call.tenant.tenantId, id: newId(), at: new Date().toISOString(), event, actor, ...sourceOf(call) };
}

function sourceOf(call: InboundCall): { sourceAddress: string; traceId: string } {
  return { sourceAddress: call.address, traceId: call.traceId };
}

/** A principal as audit records name them. */
export function actorOf(principal: Principal): AuditActor {
  switch (principal.kind) {
    case 'person': {
      const { subject: id, clientId: client, act } = principal;
      return { kind: 'person', id, client, ...(act === undefined ? {} : { acting: actorsOf(act) }) };
    }
    case 'client':
      return { kind: 'client', id: principal.clientId };
    case 'api-key':
      return { kind: 'api-key', id: principal.keyId };
  }
}

function targetOf(call: RoutedCall, server: LiveServer | undefined): string {
  return server === undefined ? `tenant:${call.tenant.tenantId}` : `server:${server.id}`;
}
