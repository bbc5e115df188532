import { randomBytes } from 'node:crypto';
import type { Secret } from '#libs/config';
import type { RouteBinding } from '#libs/protocol';
import { openWithMaster, sealWithMaster } from '#libs/secrets';

/** Whose a session is, and at which tenant URL. */
export interface SessionCaller {
  readonly tenantId: string;
  /** The tenant URL it was opened at. */
  readonly resource: string;
  /** The principal that opened it; nobody else may use it. */
  readonly principalBinding: string;
}

/** What a session's id says to a gateway that knows nothing of it: where its worker is, and which releases it is on. */
export interface SessionPlace {
  /** The worker-runtime (`RuntimeClient.placeOf`). */
  readonly runtime: string;
  /** Of which directory it was entered in. */
  readonly epoch: string;
  /** In the order of its mounts; undefined where there are too many to say. */
  readonly releases: ReadonlyArray<{ readonly id: string; readonly only?: 'read' }> | undefined;
}

/** Ids of routes with more mounts than this do not name them, so that an id stays short enough for a header. */
const RELEASES_MAX = 48;
const RANDOM_BYTES = 16;
const RUNTIME_BYTES = 4;
const EPOCH_BYTES = 8;
const RELEASE_BYTES = 17;
const TEXT = /^[A-Za-z0-9_-]{80,1400}$/;

/**
 * Makes and reads session ids: 128 random bits and the session's place, encrypted and authenticated (AES-256-GCM)
 * together with the tenant, the URL and the principal. Nobody can guess one, or use one of somebody else's.
 */
export class SessionIds {
  constructor(private readonly masterKey: Secret) {}

  /** An id for a session that opens. */
  make(caller: SessionCaller, { runtime, epoch, releases }: SessionPlace): string {
    const named = releases === undefined || releases.length > RELEASES_MAX ? [] : releases;
    const plain = Buffer.concat([
      randomBytes(RANDOM_BYTES),
      Buffer.from(runtime, 'hex'),
      Buffer.from(epoch, 'hex'),
      ...named.flatMap(({ id, only }) => [
        Buffer.from(id.replaceAll('-', ''), 'hex'),
        Buffer.of(only === 'read' ? 1 : 0),
      ]),
    ]);
    return sealWithMaster(this.masterKey, purposeOf(caller), plain).toString('base64url');
  }

  /** What an id says to the caller whose it is; undefined for everything else. */
  read(id: string, caller: SessionCaller): SessionPlace | undefined {
    if (!TEXT.test(id)) return undefined;
    try {
      return placeIn(openWithMaster(this.masterKey, purposeOf(caller), Buffer.from(id, 'base64url')));
    } catch {
      return undefined;
    }
  }
}

/** The place that an id of this route's session names. */
export function releasesOf({ mounts }: RouteBinding): SessionPlace['releases'] {
  return mounts.map(({ releaseId, only }) => ({ id: releaseId, ...(only === undefined ? {} : { only }) }));
}

function purposeOf({ tenantId, resource, principalBinding }: SessionCaller): string {
  return `session|${tenantId}|${resource}|${principalBinding}`;
}

function placeIn(plain: Buffer): SessionPlace {
  const epochAt = RANDOM_BYTES + RUNTIME_BYTES;
  const runtime = plain.subarray(RANDOM_BYTES, epochAt).toString('hex');
  const epoch = plain.subarray(epochAt, epochAt + EPOCH_BYTES).toString('hex');
  const rest = plain.subarray(epochAt + EPOCH_BYTES);
  const releases = Array.from({ length: rest.length / RELEASE_BYTES }, (_, index) => {
    const at = index * RELEASE_BYTES;
    return { id: uuid(rest.subarray(at, at + 16)), ...(rest[at + 16] === 1 ? { only: 'read' as const } : {}) };
  });
  return { runtime, epoch, releases: releases.length === 0 ? undefined : releases };
}

function uuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
