import { appendAudit } from '#libs/audit';
import type { Secret } from '#libs/config';
import { ConnectionTokens, connectUrl, type OnTakenBack } from '#libs/connections';
import type { Database } from '#libs/database';
import type { PersonTokens } from '#libs/protocol';
import type { PlacedCall } from '../sessions/place.js';

/**
 * Tokens of people at upstreams, for calls that they make: whose is decided here, by the principal that was proved, and
 * never by what a worker-runtime asks.
 */
export class PersonLogins {
  readonly #tokens: ConnectionTokens;
  readonly #issuer: string;

  constructor(parts: { readonly database: Database; readonly masterKey: Secret; readonly issuer: string }) {
    this.#tokens = new ConnectionTokens({ ...parts, onTakenBack: noteTakenBack });
    this.#issuer = parts.issuer;
  }

  /** Answers for the person who makes a call; undefined where a key or a machine makes it, which has no logins. */
  tokensFor({ principal, tenant }: PlacedCall): PersonTokens | undefined {
    if (principal.kind !== 'person') return undefined;
    const { tenantId, slug } = tenant;
    const { subject: accountId } = principal;
    return async ({ connector, origin, refused }) => {
      const found = await this.#tokens.find({ tenantId, accountId, connector, origin, refused });
      if (found.kind !== 'login') return found;
      const url = connectUrl(this.#issuer, { tenantSlug: slug, connector });
      return { kind: 'login', login: { connector, title: found.title, url } };
    };
  }

  /** Forgets what is known of a tenant's logins. */
  forget(tenantId: string): void {
    this.#tokens.forget(tenantId);
  }

  stop(): Promise<void> {
    return this.#tokens.stop();
  }
}

const noteTakenBack: OnTakenBack = (tx, { tenantId, accountId }, { name, issuer }) =>
  appendAudit(tx, tenantId, [
    {
      event: 'connection.taken_back',
      actor: { kind: 'system', id: 'gateway' },
      target: `account:${accountId}`,
      outcome: 'ok',
      details: { connector: name, issuer },
    },
  ]);
