import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '#libs/database';
import { ArtifactStore, type ArtifactRow } from './artifact-store.js';
import type { RowSeals } from './row-seals.js';

/** No id of the provider has a colon. */
const HANDLE = 'row:';

/** Whether an id is a row's own name and nothing that was ever given to anybody. */
export function isHandle(id: string): boolean {
  return id.startsWith(HANDLE);
}

/**
 * Rows that are also found without what is presented: a session by its uid, a device's code by the one that a person
 * types. Their payload cannot be sealed with what is presented, so that is left out of it. A row that is found the other
 * way has a handle in its place, by which it can be written and ended, and which is refused from outside.
 */
export abstract class NamelessStore extends ArtifactStore {
  constructor(
    model: string,
    database: Database,
    private readonly seals: RowSeals,
  ) {
    super(model, database, seals.masterKey);
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    return isHandle(id) ? undefined : super.find(id);
  }

  protected override hashOf(id: string): string {
    return isHandle(id) ? id.slice(HANDLE.length) : super.hashOf(id);
  }

  protected override sealed(id: string, payload: AdapterPayload): string {
    if (!this.seals.binds && !isHandle(id)) return super.sealed(id, payload);
    const { jti: _id, userCode: _code, ...rest } = payload;
    return super.sealed(id, rest);
  }

  protected override payloadOf(row: Pick<ArtifactRow, 'id_hash' | 'sealed'>, id: string): AdapterPayload {
    return { ...super.payloadOf(row, id), jti: id };
  }

  /** The payload of a row that was found without its id. */
  protected found(row: ArtifactRow): AdapterPayload {
    const handle = `${HANDLE}${row.id_hash}`;
    return { jti: handle, ...super.payloadOf(row, handle) };
  }
}
