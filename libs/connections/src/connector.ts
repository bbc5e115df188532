import { z } from 'zod';
import type { Transaction } from '#libs/database';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import type { SealedValue, TenantVault } from '#libs/secrets';

/** How a client proves itself at a token endpoint (RFC 6749 §2.3.1); `none` for one without a secret. */
export const CLIENT_METHODS = ['none', 'basic', 'post'] as const;

/** Everything that is needed to log people in at an upstream and to use what it grants, found out once. */
export const upstreamClientSchema = z.strictObject({
  issuer: z.string(),
  authorizationEndpoint: z.url(),
  tokenEndpoint: z.url(),
  revocationEndpoint: z.url().optional(),
  /** Whether every authorization response must name its issuer (RFC 9207). */
  issuerInAnswers: z.boolean(),
  /** Whom tokens are for (RFC 8707). */
  resource: z.string().optional(),
  scopes: z.array(z.string()),
  clientId: z.string(),
  method: z.enum(CLIENT_METHODS),
  /** The secret of a client that registered itself. */
  clientSecret: z.string().optional(),
  /** Or the name of the tenant's secret that holds it. */
  secretName: z.string().optional(),
});

/** One client at one authorization server. Tokens are kept with it, so that they never meet another server. */
export type UpstreamClient = z.infer<typeof upstreamClientSchema>;

/** What a login that is under way is held against: the client and all that its person was told. */
export function connectorMark(client: UpstreamClient, { id, origins }: Pick<Connector, 'id' | 'origins'>): string {
  return sha256Digest(Buffer.from(canonicalJson({ id, origins, client })));
}

/** Where people of a tenant log in at an upstream. */
export interface Connector {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly issuer: string;
  /** Origins that may be sent a person's token. */
  readonly origins: readonly string[];
  readonly client: SealedValue;
}

const COLUMNS = `tenant_id, id, name, title, issuer, origins, client_data_key_id, client_ciphertext`;

interface ConnectorRow extends Pick<Connector, 'id' | 'name' | 'title' | 'issuer' | 'origins'> {
  readonly tenant_id: string;
  readonly client_data_key_id: string;
  readonly client_ciphertext: Buffer;
}

/** The tenant's connector of a name. */
export async function findConnector(tx: Transaction, tenantId: string, name: string): Promise<Connector | undefined> {
  const rows: ConnectorRow[] = await tx.query(`select ${COLUMNS} from connectors where tenant_id = $1 and name = $2`, [
    tenantId,
    name,
  ]);
  return rows[0] && connectorOf(rows[0]);
}

/** The client of a connector, in plain. */
export async function openClient(
  tx: Transaction,
  vault: TenantVault,
  { tenantId, id, client }: Connector,
): Promise<UpstreamClient> {
  return upstreamClientSchema.parse(JSON.parse(await vault.open(tx, tenantId, clientPurpose(id), client)));
}

/** Seals what is known of a connector's client. */
export function sealClient(
  tx: Transaction,
  vault: TenantVault,
  connector: Pick<Connector, 'tenantId' | 'id'>,
  client: UpstreamClient,
): Promise<SealedValue> {
  return vault.seal(tx, connector.tenantId, clientPurpose(connector.id), JSON.stringify(client));
}

function clientPurpose(id: string): string {
  return `connector:${id}`;
}

function connectorOf({
  tenant_id: tenantId,
  client_data_key_id: dataKeyId,
  client_ciphertext: ciphertext,
  ...row
}: ConnectorRow): Connector {
  return { ...row, tenantId, client: { dataKeyId, ciphertext } };
}
