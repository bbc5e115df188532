/** What a provider's client secret is sealed for in the tenant's vault. */
export function clientSecretPurpose(providerId: string): string {
  return `identity-provider:${providerId}`;
}
