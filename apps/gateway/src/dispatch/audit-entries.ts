import type { AuditActor, AuditEvent } from '#libs/audit';
import { newId } from '#libs/database';
import { actorsOf, type Principal } from '#libs/identity';
import type { SpooledEntry } from '../audit-spool/records.js';
import type { MessageHead } from '../edge/exchange.js';
import type { InboundCall } from '../edge/inbound-call.js';
import type { PlacedCall } from '../sessions/place.js';
import type { RoutedCall } from '../routing/route-table.js';
import type { LiveServer } from '../routing/tenants.repository.js';

const SUBJECT_LENGTH_MAX = 128;
const METHOD_LENGTH_MAX = 64;

/** The entry of a call that is about to run; undefined for what leaves no trace (notifications, answers, pings, streams). */
export function callEntry(call: PlacedCall): SpooledEntry | undefined {
  const { head, era } = call.exchange;
  if (head?.kind !== 'request' || head.method === undefined || head.method === 'ping') return undefined;
  const server = serverOf(call, head);
  return {
    ...entryFor(call, 'call.completed', actorOf(call.principal)),
    target: targetOf(call, server),
    details: {
      method: head.method.slice(0, METHOD_LENGTH_MAX),
      ...(head.subject === undefined ? {} : { name: head.subject.slice(0, SUBJECT_LENGTH_MAX) }),
      ...(server === undefined ? {} : { server: server.slug, release: releaseOf(call, server.slug) }),
      era,
    },
  };
}

/** The entry of a call that was refused before it reached a worker. */
export function refusalEntry(call: RoutedCall, principal: Principal | undefined): SpooledEntry {
  const server = call.tenant.servers.find(({ slug }) => slug === call.target.serverSlug);
  return {
    ...entryFor(call, 'call.refused', principal === undefined ? { kind: 'anonymous' } : actorOf(principal)),
    target: targetOf(call, server),
    ...(server === undefined ? {} : { details: { server: server.slug } }),
  };
}

/** The entry of an API key's use. */
export function keyUseEntry(call: RoutedCall, keyId: string): SpooledEntry {
  return { ...entryFor(call, 'api_key.used', { kind: 'api-key', id: keyId }), target: `api_key:${keyId}` };
}

function entryFor(call: RoutedCall, event: AuditEvent, actor: AuditActor): Omit<SpooledEntry, 'target'> {
  return { tenantId: call.tenant.tenantId, id: newId(), at: new Date().toISOString(), event, actor, ...sourceOf(call) };
}

function sourceOf(call: InboundCall): { sourceAddress: string; traceId: string } {
  return { sourceAddress: call.address, traceId: call.traceId };
}

function actorOf(principal: Principal): AuditActor {
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

/** The release that a call to a server goes to. */
function releaseOf(call: PlacedCall, slug: string): string | undefined {
  return call.route.mounts.find((mount) => mount.serverSlug === slug)?.releaseId;
}

/** The server that a request is for; on the tenant's own URL its tool's prefix tells. */
function serverOf(call: PlacedCall, head: MessageHead): LiveServer | undefined {
  const named = head.method === 'tools/call' ? head.subject : undefined;
  const slug =
    call.target.serverSlug ?? call.route.mounts.find((mount) => named?.startsWith(mount.prefix) === true)?.serverSlug;
  return call.tenant.servers.find((server) => server.slug === slug);
}
