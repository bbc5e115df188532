import { setTimeout as pause } from 'node:timers/promises';
import Provider, { errors, type AdapterPayload } from 'oidc-provider';
import { hashId } from '../artifacts/artifact-store.js';
import { PresentedStore } from '../artifacts/presented-store.js';

/** Within this time after a rotation the same replacement is given again: parallel and repeated requests. */
const SAME_ANSWER_SECONDS = 10;
const REPLACEMENT_WAIT_MS = 3_000;
const REPLACEMENT_POLL_MS = 25;

interface RotationRow {
  readonly consumed_seconds: number | null;
  readonly successor: string | null;
  readonly superseded: boolean;
  readonly successor_unused: boolean;
}

interface ReplacedRow {
  readonly successor: string;
  readonly consumed_seconds: number;
}

/** What a request may do with the refresh token it presented. */
export type Rotation =
  /** It is the first: mint a replacement. */
  | { readonly kind: 'rotate' }
  /** Another request has just done so: answer with its replacement. */
  | { readonly kind: 'repeat'; readonly replacement: string };

/**
 * Refresh tokens and their rotation (OAuth 2.1 §4.3.1, RFC 9700 §4.14). States of a token:
 *
 * - fresh → rotated, when it is used; its replacement is remembered, sealed with the token that was used.
 * - rotated, for 10 s: using it again gives the same replacement, so that parallel requests make one family.
 * - rotated, later, while the replacement was never used (the answer was lost): using it again supersedes the replacement.
 * - rotated and the replacement was used, or superseded: using it is reuse, and the whole grant is revoked.
 */
export class RefreshTokenStore extends PresentedStore {
  /** A rotated token whose replacement was never used counts as not consumed; `rotationOf` then decides. */
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const payload = await super.find(id);
    if (payload?.consumed === undefined) return payload;
    const row = await this.#readRotation(id);
    if (row === undefined || row.superseded || !isRepairable(row)) return payload;
    const { consumed: _consumed, ...fresh } = payload;
    return fresh;
  }

  /** `rotationOf` has marked it. */
  override async consume(): Promise<void> {}

  /** Stores a new token and, where it replaces one, remembers it there in the same transaction. */
  override async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const replaced = Provider.ctx?.oidc.entities.RotatedRefreshToken?.jti;
    await this.database.asService(async (tx) => {
      await this.write(tx, id, payload, expiresInSeconds);
      if (replaced === undefined) return;
      await tx.query(
        `update oauth_artifacts set payload = payload || jsonb_build_object('successor', $2::text, 'successorHash', $3::text)
         where model = 'RefreshToken' and id_hash = $1`,
        [hashId(replaced), this.sealText(replaced, id), hashId(id)],
      );
    });
  }

  /** Claims the right to replace a token, of many at once for one. @throws InvalidGrant when it was used up meanwhile */
  async rotationOf(id: string): Promise<Rotation> {
    if (await this.#claim(id)) return { kind: 'rotate' };
    const deadline = Date.now() + REPLACEMENT_WAIT_MS;
    for (;;) {
      const { successor, consumed_seconds: seconds } = await this.#replaced(id, deadline);
      if (seconds <= SAME_ANSWER_SECONDS) return { kind: 'repeat', replacement: this.openText(id, successor) };
      if (await this.#supersedeReplacement(id)) return { kind: 'rotate' };
    }
  }

  /** A used token when its replacement has been written. @throws InvalidGrant when it is not by then, or superseded */
  async #replaced(id: string, deadline: number): Promise<ReplacedRow> {
    let row = await this.#readRotation(id);
    while (row?.successor === null && Date.now() < deadline) {
      await pause(REPLACEMENT_POLL_MS);
      row = await this.#readRotation(id);
    }
    if (row === undefined || row.successor === null || row.superseded) throw new errors.InvalidGrant('already used');
    return { successor: row.successor, consumed_seconds: row.consumed_seconds ?? 0 };
  }

  async #claim(id: string): Promise<boolean> {
    const [rows] = await this.database.asService((tx) =>
      tx.query(
        `update oauth_artifacts set consumed_at = now()
         where model = 'RefreshToken' and id_hash = $1 and consumed_at is null returning 1`,
        [hashId(id)],
      ),
    );
    return rows.length > 0;
  }

  /** Whether this request is the one that replaces a lost replacement. @throws InvalidGrant when that was used */
  async #supersedeReplacement(id: string): Promise<boolean> {
    return this.database.asService(async (tx) => {
      const [used]: Array<{ successor_hash: string | null; late: boolean }> = await tx.query(
        `select payload ->> 'successorHash' as successor_hash, consumed_at < now() - make_interval(secs => $2) as late
         from oauth_artifacts where model = 'RefreshToken' and id_hash = $1 for update`,
        [hashId(id), SAME_ANSWER_SECONDS],
      );
      if (used === undefined) throw new errors.InvalidGrant('already used');
      // Another request was the first, and its replacement is or will be this one's answer too.
      if (!used.late) return false;
      const [superseded]: [unknown[], number] = await tx.query(
        `update oauth_artifacts set consumed_at = now(), payload = payload || '{"superseded": true}'
         where model = 'RefreshToken' and id_hash = $1 and consumed_at is null returning 1`,
        [used.successor_hash],
      );
      if (superseded.length === 0) throw new errors.InvalidGrant('already used');
      await tx.query(
        `update oauth_artifacts set consumed_at = now(), payload = payload - 'successor' - 'successorHash'
         where model = 'RefreshToken' and id_hash = $1`,
        [hashId(id)],
      );
      return true;
    });
  }

  async #readRotation(id: string): Promise<RotationRow | undefined> {
    const rows: RotationRow[] = await this.database.asService((tx) =>
      tx.query(
        `select extract(epoch from now() - used.consumed_at)::float8 as consumed_seconds,
                used.payload ->> 'successor' as successor, used.payload ? 'superseded' as superseded,
                next.id_hash is not null and next.consumed_at is null as successor_unused
         from oauth_artifacts used
         left join oauth_artifacts next on next.model = used.model and next.id_hash = used.payload ->> 'successorHash'
         where used.model = 'RefreshToken' and used.id_hash = $1`,
        [hashId(id)],
      ),
    );
    return rows[0];
  }
}

/** Rotated a moment ago and the replacement is still being written, or the replacement was never used. */
function isRepairable(row: RotationRow): boolean {
  return row.successor === null ? (row.consumed_seconds ?? 0) <= SAME_ANSWER_SECONDS : row.successor_unused;
}
