import { timingSafeEqual } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import { hashClientSecret } from '#libs/identity';

const PREFIX = 'sha256:';

/** What stands in the provider's metadata for secrets of which only hashes are known; each of them is good. */
export function storedSecret(hashes: readonly string[]): string {
  return hashes.map((hash) => `${PREFIX}${hash}`).join(' ');
}

/** Client metadata with its secret, if any, replaced by its hash. */
export function withHashedSecret<Metadata extends { client_secret?: unknown }>(metadata: Metadata): Metadata {
  const { client_secret: secret } = metadata;
  if (typeof secret !== 'string' || secret.startsWith(PREFIX)) return metadata;
  return { ...metadata, client_secret: storedSecret([hashClientSecret(secret)]) };
}

/** Lets a provider compare presented secrets with the hashes in its clients' metadata, in constant time. */
export function compareHashes(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(this: Client, presented: string) {
    return isOneOf(this.clientSecret ?? '', presented);
  };
}

function isOneOf(stored: string, presented: string): boolean {
  const given = Buffer.from(hashClientSecret(presented));
  const matches = stored
    .split(' ')
    .map((text) => Buffer.from(text.slice(PREFIX.length)))
    // Every one is compared, whichever matches.
    .map((hash) => hash.length === given.length && timingSafeEqual(hash, given));
  return matches.includes(true);
}
