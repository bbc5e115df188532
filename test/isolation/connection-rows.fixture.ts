import { newId } from '#libs/database';

/** Rows about where people log in: the tenant's provider, and a member's own login at an upstream. */
export function connectionRows({
  tenant,
  account,
  dataKey,
}: {
  readonly tenant: string;
  readonly account: string;
  readonly dataKey: string;
}): Record<string, Record<string, unknown>> {
  const connector = newId();
  const sealed = { data_key_id: dataKey, ciphertext: Buffer.from('canary-a') };
  const whose = { tenant_id: tenant, connector_id: connector, account_id: account };
  return {
    identity_providers: {
      tenant_id: tenant,
      id: newId(),
      name: 'canary-a',
      issuer: 'https://canary-a.example',
      client_id: 'c',
      secret_data_key_id: dataKey,
      secret_ciphertext: Buffer.from('c'),
      scopes: ['openid'],
      email_domains: [],
      group_roles: '[]',
      just_in_time: true,
      accepts_assertions: false,
      sign_in_again_hours: 24,
    },
    federated_identities: { tenant_id: tenant, issuer: 'https://canary-a.example', subject: 's', account_id: account },
    connectors: {
      tenant_id: tenant,
      id: connector,
      name: 'canary-a',
      title: 'canary-a',
      settings: '{}',
      issuer: 'https://canary-a.example',
      origins: [],
      client_data_key_id: dataKey,
      client_ciphertext: Buffer.from('c'),
    },
    connections: { ...whose, issuer: 'https://canary-a.example', state: 'connected', ...sealed },
    connection_endings: { ...whose, id: newId(), ...sealed },
  };
}
