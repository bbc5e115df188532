import type { OfferedProvider } from '../interactions/pages.js';
import { domainOf } from '../federation/asserted-person.js';
import type { TenantProvider } from '../federation/tenant-providers.js';

/** What the sign-in page shows of a provider. */
export function offerOf({ id, name, issuer }: TenantProvider): OfferedProvider {
  return { id, name, host: new URL(issuer).host };
}

/**
 * The provider that a sign-in form means: by its button, or by the domain of an e-mail that came without a password.
 * Only the tenant's own providers count, so a domain that two tenants name leads to the right one of each.
 */
export function chosenBy(form: URLSearchParams, providers: readonly TenantProvider[]): TenantProvider | undefined {
  const id = form.get('provider');
  if (id !== null) return providers.find((provider) => provider.id === id);
  const withCredential = ['password', 'credential', 'code'].some((name) => (form.get(name) ?? '') !== '');
  if (form.get('action') !== 'login' || withCredential) return undefined;
  const domain = domainOf(form.get('email') ?? '');
  return domain === undefined ? undefined : providers.find(({ emailDomains }) => emailDomains.includes(domain));
}
