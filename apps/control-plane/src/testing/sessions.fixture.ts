import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { sessionDigest, sessionKey, sessionsOfKey } from '#libs/protocol';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

/** Enters a session as a gateway does; what operators call it by. */
export async function withSession(api: ControlPlane, { id: tenantId }: TestTenant): Promise<string> {
  const redis = new Redis(api.redisUrl);
  const id = randomBytes(24).toString('base64url');
  const session = { principalBinding: 'p', runtime: '0a0b0c0d', route: { mounts: [{ serverSlug: 'shop' }] } };
  await redis.set(sessionKey(tenantId, id), JSON.stringify(session), 'EX', 600);
  for (const key of [sessionsOfKey(tenantId), sessionsOfKey(tenantId, 'p')]) await redis.zadd(key, Date.now(), id);
  redis.disconnect();
  return sessionDigest(id);
}
