/** Who is calling a tenant URL or the management API, as proved by credentials. */
export type Principal =
  | {
      readonly kind: 'person';
      readonly tenantId: string;
      /** The account's id (`sub`). */
      readonly subject: string;
      readonly issuer: string;
      readonly clientId: string;
      readonly scopes: readonly string[];
    }
  | {
      readonly kind: 'api-key';
      readonly tenantId: string;
      readonly keyId: string;
      readonly scopes: readonly string[];
    };

/** The stable text a session is bound to: issuer, subject and client, or the key; never the token's bytes. */
export function principalBinding(principal: Principal): string {
  return principal.kind === 'person'
    ? `person|${principal.issuer}|${principal.subject}|${principal.clientId}`
    : `api-key|${principal.keyId}`;
}
