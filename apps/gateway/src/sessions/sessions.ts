import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { RouteBinding, RuntimeClient } from '#libs/protocol';
import type { AdmittedCall } from '../limits/admit.js';
import { serversGuard } from '../result-guards/servers-guard.js';
import { SessionDirectory, type Session, type SessionOwner } from './session-directory.js';
import { releasesOf, type SessionCaller, type SessionIds, type SessionPlace } from './session-ids.js';
import { findSessionRoute } from './session-routes.js';

/** What sessions stand on. */
export interface SessionParts {
  readonly directory: SessionDirectory;
  readonly ids: SessionIds;
  readonly runtime: Pick<RuntimeClient, 'placeOf'>;
  readonly database: Database;
}

/** A session's id, and where its worker is. */
export interface PlacedSession {
  readonly id: string;
  readonly runtime: string;
}

/** Sessions of the 2025 era: made here, found in the directory, and found again by their ids when the directory is lost. */
export class Sessions {
  constructor(private readonly parts: SessionParts) {}

  /** An id and a place for a session that is about to open on a route. @throws AppError unavailable */
  async place(call: AdmittedCall, route: RouteBinding): Promise<PlacedSession> {
    const slugs = route.mounts.map(({ serverSlug }) => serverSlug);
    const runtime = this.parts.runtime.placeOf(route, serversGuard(call.tenant, slugs));
    if (runtime === undefined) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    const epoch = await this.parts.directory.epoch(call.tenant.tenantId);
    const id = this.parts.ids.make(callerOf(call), { runtime, epoch, releases: releasesOf(route) });
    return { id, runtime };
  }

  /** Enters a session that its worker has opened. */
  async open(call: AdmittedCall, { id, runtime }: PlacedSession, route: RouteBinding): Promise<void> {
    await this.parts.directory.open(id, { ...callerOf(call), runtime, route }, call.tenant.limits);
  }

  /**
   * The session with this id, for its own principal at its own URL.
   * @throws AppError session_not_found in every other case, word for word the same
   */
  async get(call: AdmittedCall, id: string): Promise<Session> {
    const caller = callerOf(call);
    const found = await this.parts.directory.find(id, caller, call.tenant.limits);
    if (found.kind === 'found') return found.session;
    if (found.kind === 'foreign') throw new AppError('session_not_found');
    const place = this.parts.ids.read(id, caller);
    if (place === undefined || found.epoch === place.epoch) throw new AppError('session_not_found');
    return this.#recover(call, id, place);
  }

  /** Counts a session as used. */
  async keep(id: string): Promise<void> {
    await this.parts.directory.keep(id);
  }

  /** Ends a session of this principal. */
  async end(id: string, owner: SessionOwner): Promise<void> {
    await this.parts.directory.end(id, owner);
  }

  /** Enters a session again that Redis has lost. Whether there is one still, its worker knows. */
  async #recover(call: AdmittedCall, id: string, { runtime, releases }: SessionPlace): Promise<Session> {
    const { tenantId } = call.tenant;
    const route =
      releases === undefined
        ? call.route
        : await findSessionRoute(this.parts.database, tenantId, call.target, releases, call.route.view);
    if (route === undefined) throw new AppError('session_not_found');
    const session = { ...callerOf(call), runtime, route };
    await this.parts.directory.open(id, session, call.tenant.limits);
    return session;
  }
}

function callerOf({ tenant, target, principalBinding }: AdmittedCall): SessionCaller {
  return { tenantId: tenant.tenantId, resource: target.resource, principalBinding };
}
