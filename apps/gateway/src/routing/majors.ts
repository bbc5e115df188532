import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import type { TenantUrl } from '../edge/tenant-url.js';
import type { LiveServer, OlderMajor, TenantRoutes } from './tenants.repository.js';

/** A release as a URL serves it. */
export type ServedRelease = Pick<LiveServer, 'releaseId' | 'digest'>;

/** The release that a server's URL serves: the live one, or of an older major version until its time is over. @throws AppError not_found */
export function releaseAt(server: LiveServer, major: number | undefined): ServedRelease {
  if (major === undefined || major === server.major) return server;
  const older = findOlder(server, major);
  if (older === undefined) throw new AppError('not_found');
  return older;
}

/**
 * Tells whoever calls an older major version since when it is deprecated (RFC 9745), when it ends (RFC 8594) and where
 * its successor is. @throws AppError not_found once it has ended
 */
export function noticeDeprecation(response: ServerResponse, tenant: TenantRoutes, target: TenantUrl): void {
  if (target.major === undefined) return;
  const server = tenant.servers.find(({ slug }) => slug === target.serverSlug);
  if (server === undefined || server.major === target.major) return;
  const older = findOlder(server, target.major);
  if (older === undefined) throw new AppError('not_found');
  response.setHeader('deprecation', `@${Math.floor(Date.parse(older.deprecatedAt) / 1_000)}`);
  response.setHeader('sunset', new Date(older.servedUntil).toUTCString());
  response.setHeader('link', `<${target.resource.replace(/@\d+(\/\w+)$/, '$1')}>; rel="successor-version"`);
}

function findOlder(server: LiveServer, major: number): OlderMajor | undefined {
  return server.olderMajors.find((older) => older.major === major && Date.parse(older.servedUntil) > Date.now());
}
