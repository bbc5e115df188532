import type { ClientAuth } from 'openid-client';

/** What a provider's client secret is sealed for in the tenant's vault. */
export function clientSecretPurpose(providerId: string): string {
  return `identity-provider:${providerId}`;
}

/**
 * Proves a client by HTTP Basic with both halves form-encoded (RFC 6749, 2.3.1 and appendix B), and nothing beyond: many
 * authorization servers decode nothing, and know no client whose dashes are escaped too, as the OAuth library does.
 */
export function clientSecretBasic(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const halves = `${formEncoded(client.client_id)}:${formEncoded(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(halves).toString('base64')}`);
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ t: text }).toString().slice(2);
}
