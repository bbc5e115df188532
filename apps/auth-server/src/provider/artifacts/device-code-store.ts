import type { AdapterPayload } from 'oidc-provider';
import { ArtifactStore, hashId } from './artifact-store.js';

interface DeviceCodeRow {
  readonly sealed: string;
  readonly ends: number;
  readonly consumed: number | null;
}

/** Codes of devices, which are told apart from made-up ones after they have expired (RFC 8628 §3.5), until they are swept. */
export class DeviceCodeStore extends ArtifactStore {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const idHash = hashId(id);
    const [row]: DeviceCodeRow[] = await this.database.asService((tx) =>
      tx.query(
        `select payload ->> 'sealed' as sealed, floor(extract(epoch from expires_at))::integer as ends,
           extract(epoch from consumed_at)::integer as consumed
         from oauth_artifacts where model = $1 and id_hash = $2`,
        [this.model, idHash],
      ),
    );
    if (row === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(this.open(idHash, row.sealed));
    return { ...payload, exp: row.ends, ...(row.consumed === null ? {} : { consumed: row.consumed }) };
  }
}
