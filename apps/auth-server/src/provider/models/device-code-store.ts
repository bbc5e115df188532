import Provider, { type AdapterPayload } from 'oidc-provider';
import { consumedOf, type ArtifactRow } from '../artifacts/artifact-store.js';
import { isHandle, NamelessStore } from '../artifacts/nameless-store.js';

interface DeviceCodeRow extends ArtifactRow {
  readonly ends: number;
}

/** Where the provider goes on with a code that a person has entered, which it keeps the handle of until then. */
const GOES_ON = 'device_resume';

/** Codes of devices, which are told apart from made-up ones after they have expired (RFC 8628 §3.5), until they are swept. */
export class DeviceCodeStore extends NamelessStore {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    // Our own pages run outside of the provider's requests; what comes from outside never does.
    if (isHandle(id) && Provider.ctx !== undefined && Provider.ctx.oidc.route !== GOES_ON) return undefined;
    const [row]: DeviceCodeRow[] = await this.database.asService((tx) =>
      tx.query(
        `select id_hash, payload ->> 'sealed' as sealed, floor(extract(epoch from expires_at))::integer as ends,
           extract(epoch from consumed_at)::integer as consumed
         from oauth_artifacts where model = $1 and id_hash = $2`,
        [this.model, this.hashOf(id)],
      ),
    );
    return row && { ...this.payloadOf(row, id), exp: row.ends, ...consumedOf(row) };
  }

  override async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const row = await this.rowWhere('user_code', this.userCodeHash(userCode));
    return row && { ...this.found(row), userCode, ...consumedOf(row) };
  }
}
