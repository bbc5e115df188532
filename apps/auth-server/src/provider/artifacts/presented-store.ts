import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '#libs/database';
import { LASTING, openWithPresented, sealWithPresented } from '#libs/secrets';
import { ArtifactStore, type ArtifactRow } from './artifact-store.js';
import type { RowSeals } from './row-seals.js';

/** What begins a text that is sealed with what is presented; base64 has no dot. */
const BOUND = '2.';

/**
 * Rows of what somebody presents to use it: codes, refresh tokens, requests. They are sealed under a key that takes the
 * master key and what is presented, of which the row has a hash alone; so the database yields nothing that can be
 * presented, also to who has the master key. Rows that were sealed under the master key alone are read until they end.
 */
export class PresentedStore extends ArtifactStore {
  constructor(
    model: string,
    database: Database,
    private readonly seals: RowSeals,
  ) {
    super(model, database, seals.masterKey);
  }

  protected override sealed(id: string, payload: AdapterPayload): string {
    return this.sealText(id, JSON.stringify(payload));
  }

  protected override payloadOf({ sealed }: Pick<ArtifactRow, 'sealed'>, id: string): AdapterPayload {
    return JSON.parse(this.openText(id, sealed));
  }

  /** What is sealed with what is presented takes a key that lasts, and none of the master keys. */
  protected override get rootKeyId(): string {
    return this.seals.binds ? LASTING : super.rootKeyId;
  }

  /** A text that only who presents the id can have opened. */
  protected sealText(id: string, text: string): string {
    const idHash = this.hashOf(id);
    if (!this.seals.binds) return this.sealRow(idHash, text);
    const sealed = sealWithPresented(this.masterKey, id, this.purpose(idHash), Buffer.from(text));
    return `${BOUND}${sealed.toString('base64')}`;
  }

  protected openText(id: string, sealed: string): string {
    const idHash = this.hashOf(id);
    if (!sealed.startsWith(BOUND)) return this.openRow(idHash, sealed);
    const bytes = Buffer.from(sealed.slice(BOUND.length), 'base64');
    return openWithPresented(this.masterKey, id, this.purpose(idHash), bytes).toString();
  }
}
