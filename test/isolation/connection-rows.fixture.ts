import { newId } from '#libs/database';

/** Rows about a member's own login at an upstream, in the order the references need. */
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
