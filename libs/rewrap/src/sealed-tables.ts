import type { Secret } from '#libs/config';
import {
  DATA_KEYS,
  dataKeyContext,
  LASTING,
  lastingPurpose,
  masterKeyId,
  openPersonKey,
  openWithMaster,
  PERSON_KEYS,
  personKeyContext,
  ROOT_KEY_ID,
  sealWithMaster,
  WrappingKeys,
} from '#libs/secrets';

/** A service that seals anew what it alone reads. */
export type RewrappingService = 'auth-server' | 'control-plane' | 'background';

/** What is sealed in a row, and under which master key; a seal that lasts says `lasting`. */
export interface SealedRow {
  /** The values of its primary key, in order. */
  readonly key: readonly string[];
  /** Bytes, or text where the column is one. */
  readonly sealed: Buffer;
  readonly rootKeyId: string;
  /** Where a person's key was not wrapped yet. */
  readonly salt?: Buffer | null;
}

/** A table with a column that is sealed under the master key. */
export interface SealedTable {
  readonly name: string;
  /** The service that reads it, and so seals it anew; undefined where what it holds ends within a day. */
  readonly service: RewrappingService | undefined;
  /** Its primary key: column and type. */
  readonly key: ReadonlyArray<readonly [column: string, type: string]>;
  /** SQL of what is sealed, as bytes. */
  readonly sealed: string;
  /** SQL that writes bytes `n.sealed` back, among them what the old seal needed. */
  readonly write: string;
  /** SQL of the id of its master key; null for rows that hold nothing. */
  readonly rootKeyId: string;
  /** The column that the id is in. */
  readonly rootKeyColumn: string;
  /** SQL of what else opening takes. */
  readonly salt?: string;
  /** What a row holds, sealed under the first of the master keys; the same bytes where the seal lasts. */
  reseal(masterKey: Secret, row: SealedRow): { readonly sealed: Buffer; readonly rootKeyId: string };
}

/** What is sealed with what is presented begins so; base64 has no dot. */
const BOUND = '2.';

/**
 * Every table that is sealed under the master key itself, with what each seal is for, as the room of the table has it.
 * Whoever seals another one adds it here, or the key could never be taken away.
 */
export const SEALED_TABLES: readonly SealedTable[] = [
  table('signing_keys', {
    service: 'auth-server',
    key: [['kid', 'text']],
    sealed: 'private_jwk',
    reseal: sealedFor(() => 'signing-keys'),
  }),
  table('account_totp', {
    service: 'auth-server',
    key: [['account_id', 'uuid']],
    reseal: sealedFor(([accountId]) => `totp:${accountId}`),
  }),
  table('oauth_artifacts', {
    service: 'auth-server',
    key: [
      ['model', 'text'],
      ['id_hash', 'text'],
    ],
    sealed: `convert_to(payload ->> 'sealed', 'UTF8')`,
    write: `payload = jsonb_build_object('sealed', convert_from(n.sealed, 'UTF8'))`,
    reseal: resealArtifact,
  }),
  table('operator_accounts', {
    service: 'control-plane',
    key: [['operator_id', 'uuid']],
    sealed: 'totp_sealed',
    // Who has not confirmed an app yet chooses it again.
    rootKeyId: `case when enrolled_at is not null then ${ROOT_KEY_ID} end`,
    reseal: sealedFor(([id]) => `operator-totp:${id}`),
  }),
  table('audit_keys', { key: [['id', 'uuid']], reseal: sealedFor(() => 'audit-checkpoints') }),
  table('mail_outbox', { key: [['id', 'uuid']], reseal: sealedFor(([id]) => `mail-outbox:${id}`) }),
  table('lasting_keys', {
    key: [['purpose', 'text']],
    reseal: sealedFor(([purpose = '']) => lastingPurpose(purpose)),
  }),
  table('data_keys', {
    key: [
      ['tenant_id', 'uuid'],
      ['id', 'uuid'],
    ],
    sealed: 'wrapped',
    rootKeyId: 'wrapping_key_id',
    rootKeyColumn: 'wrapping_key_id',
    reseal: rewrapDataKey,
  }),
  table('person_keys', {
    key: [
      ['tenant_id', 'uuid'],
      ['person_id', 'text'],
    ],
    sealed: 'wrapped',
    salt: 'salt',
    write: `wrapped = n.sealed, salt = ''`,
    reseal: rewrapPersonKey,
  }),
  // What opens an archive, until its import ends; an import without one is under no key, and never was.
  table('tenant_imports', {
    key: [['id', 'uuid']],
    rootKeyId: `case when sealed is not null then ${ROOT_KEY_ID} end`,
    reseal: sealedFor(([id]) => `tenant-import:${id}`),
  }),
  // Answers are kept for a day; a name without an answer is not sealed, and says nothing.
  table('platform_idempotency_keys', {
    service: undefined,
    key: [['key_hash', 'text']],
    rootKeyId: `case when expires_at > now() then root_key_id end`,
    reseal: (_masterKey, { sealed, rootKeyId }) => ({ sealed, rootKeyId }),
  }),
];

function table(name: string, parts: Partial<SealedTable> & Pick<SealedTable, 'key' | 'reseal'>): SealedTable {
  const sealed = parts.sealed ?? 'sealed';
  return {
    name,
    service: 'background',
    sealed,
    write: `${sealed} = n.sealed`,
    rootKeyId: ROOT_KEY_ID,
    rootKeyColumn: 'root_key_id',
    ...parts,
  };
}

function sealedFor(purposeOf: (key: readonly string[]) => string): SealedTable['reseal'] {
  return (masterKey, row) => {
    const purpose = purposeOf(row.key);
    const sealed = sealWithMaster(masterKey, purpose, openWithMaster(masterKey, purpose, row.sealed));
    return { sealed, rootKeyId: masterKeyId(masterKey) };
  };
}

function resealArtifact(masterKey: Secret, { key, sealed }: SealedRow): ReturnType<SealedTable['reseal']> {
  const text = sealed.toString();
  if (text.startsWith(BOUND)) return { sealed, rootKeyId: LASTING };
  const purpose = `oauth-artifacts:${key.join(':')}`;
  const plain = openWithMaster(masterKey, purpose, Buffer.from(text, 'base64'));
  const again = sealWithMaster(masterKey, purpose, plain).toString('base64');
  return { sealed: Buffer.from(again), rootKeyId: masterKeyId(masterKey) };
}

function rewrapDataKey(masterKey: Secret, { key, sealed, rootKeyId }: SealedRow): ReturnType<SealedTable['reseal']> {
  const [tenantId = '', id = ''] = key;
  const wrapping = new WrappingKeys(masterKey, DATA_KEYS);
  const context = dataKeyContext(tenantId, id);
  const { wrapped, rootKeyId: current } = wrapping.wrap(
    wrapping.unwrap({ wrapped: sealed, rootKeyId }, context),
    context,
  );
  return { sealed: wrapped, rootKeyId: current };
}

function rewrapPersonKey(masterKey: Secret, row: SealedRow): ReturnType<SealedTable['reseal']> {
  const [tenantId = '', personId = ''] = row.key;
  const wrapping = new WrappingKeys(masterKey, PERSON_KEYS);
  const { sealed, salt, rootKeyId } = row;
  const wrappedBefore = sealed.length === 0 ? null : sealed;
  const key = openPersonKey(wrapping, {
    tenantId,
    personId,
    salt: salt ?? Buffer.alloc(0),
    wrapped: wrappedBefore,
    rootKeyId,
  });
  const { wrapped, rootKeyId: current } = wrapping.wrap(key, personKeyContext(tenantId, personId));
  return { sealed: wrapped, rootKeyId: current };
}
