import { sealedContext, secretContext } from '#libs/secrets';

/** A column that is sealed under a tenant's data keys. */
export interface DataSealedColumn {
  readonly table: string;
  /** Its primary key after `tenant_id`, and what else `context` takes: column and type. */
  readonly key: ReadonlyArray<readonly [column: string, type: string]>;
  /** The column that names its data key. */
  readonly dataKeyId: string;
  /** The column of what is sealed. */
  readonly sealed: string;
  /** What it is authenticated with, from the values of `key`. */
  context(tenantId: string, key: readonly string[]): string;
}

type Purpose = (...key: string[]) => string;

const ID = [['id', 'uuid']] as const;
const webhook: Purpose = (id) => `webhook:${id}`;
const connection = (connectorId?: string, accountId?: string): string => `connection:${connectorId}:${accountId}`;

/**
 * Every column that is sealed under tenants' data keys, with what each seal is for, as the room of the table has it.
 * Whoever seals another one adds it here, or an old data key could never be removed.
 */
export const DATA_SEALED_COLUMNS: readonly DataSealedColumn[] = [
  secretsIn('secrets'),
  secretsIn('secret_versions'),
  column('webhooks', 'secret', webhook),
  column('webhooks', 'previous_secret', webhook, { dataKeyId: 'previous_data_key_id' }),
  column('webhooks', 'headers', (id) => `webhook-headers:${id}`, { dataKeyId: 'headers_data_key_id' }),
  column('identity_providers', 'secret_ciphertext', (id) => `identity-provider:${id}`, {
    dataKeyId: 'secret_data_key_id',
  }),
  column('federated_identities', 'refresh_ciphertext', (_issuer, _subject, id) => `federated-person:${id}`, {
    dataKeyId: 'refresh_data_key_id',
    key: [
      ['issuer', 'text'],
      ['subject', 'text'],
      ['account_id', 'uuid'],
    ],
  }),
  column('connectors', 'client_ciphertext', (id) => `connector:${id}`, { dataKeyId: 'client_data_key_id' }),
  column('connections', 'ciphertext', connection, {
    key: [
      ['connector_id', 'uuid'],
      ['account_id', 'uuid'],
    ],
  }),
  column('connection_endings', 'ciphertext', (_id, connectorId, accountId) => connection(connectorId, accountId), {
    key: [...ID, ['connector_id', 'uuid'], ['account_id', 'uuid']],
  }),
  column('approvals', 'sealed_arguments', (id) => `approval:${id}`),
  column('tasks', 'answer', (id) => `task ${id}`),
  column('tenant_exports', 'ciphertext', (id) => `tenant-export|${id}`),
  column('idempotency_keys', 'answer', (keyHash) => `idempotency:${keyHash}`, { key: [['key_hash', 'text']] }),
];

function column(
  table: string,
  sealed: string,
  purpose: Purpose,
  { key = ID, dataKeyId = 'data_key_id' }: Partial<Pick<DataSealedColumn, 'key' | 'dataKeyId'>> = {},
): DataSealedColumn {
  return {
    table,
    key,
    dataKeyId,
    sealed,
    context: (tenantId, values) => sealedContext(tenantId, purpose(...values)),
  };
}

function secretsIn(table: string): DataSealedColumn {
  return {
    table,
    key: [
      ['name', 'text'],
      ['version', 'integer'],
    ],
    dataKeyId: 'data_key_id',
    sealed: 'ciphertext',
    context: (tenantId, [name = '', version]) => secretContext(tenantId, name, Number(version)),
  };
}
