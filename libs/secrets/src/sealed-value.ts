/** A value that is kept beside what it is for, instead of among the tenant's own secrets. */
export interface SealedValue {
  readonly dataKeyId: string;
  readonly ciphertext: Buffer;
}

/** What a version of a tenant's secret is authenticated with. */
export function secretContext(tenantId: string, name: string, version: number): string {
  return `secret|${tenantId}|${name}|${version}`;
}

/** What a value that is sealed for a purpose is authenticated with. */
export function sealedContext(tenantId: string, purpose: string): string {
  return `sealed|${tenantId}|${purpose}`;
}
