import { appendAudit } from '#libs/audit';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import type { PersonTokens } from '#libs/protocol';
import { connectUrl } from './addresses.js';
import { ConnectionTokens } from './connection-tokens.js';

/** Who makes a call or asks for a build, as their credential has proved it. */
export interface LoggedInPerson {
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly accountId: string;
}

/**
 * Tokens of people at upstreams, for what they ask for themselves: whose is decided here, by the person that was proved,
 * and never by what a worker-runtime asks.
 */
export class PersonLogins {
  readonly #tokens: ConnectionTokens;
  readonly #issuer: string;

  /** `service` is named in the log where an upstream takes a login back. */
  private constructor(parts: {
    readonly database: Database;
    readonly masterKey: Secret;
    readonly issuer: string;
    readonly service: string;
  }) {
    const { service } = parts;
    this.#issuer = parts.issuer;
    this.#tokens = new ConnectionTokens({
      ...parts,
      onTakenBack: (tx, { tenantId, accountId }, { name, issuer }) =>
        appendAudit(tx, tenantId, [
          {
            event: 'connection.taken_back',
            actor: { kind: 'system', id: service },
            target: `account:${accountId}`,
            outcome: 'ok',
            details: { connector: name, issuer },
          },
        ]),
    });
  }

  /** Those of a service, by its configuration. */
  static of(
    service: string,
    database: Database,
    config: { readonly issuer: string; readonly WHARF_MASTER_KEY: Secret },
  ): PersonLogins {
    const { issuer, WHARF_MASTER_KEY: masterKey } = config;
    return new PersonLogins({ database, masterKey, issuer, service });
  }

  /** Answers for one person. */
  tokensFor({ tenantId, tenantSlug, accountId }: LoggedInPerson): PersonTokens {
    return async ({ connector, origin, refused, lacking }) => {
      const found = await this.#tokens.find({ tenantId, accountId, connector, origin, refused, lacking });
      if (found.kind !== 'login') return found;
      const { title, more } = found;
      const login = { connector, title, url: connectUrl(this.#issuer, { tenantSlug, connector }) };
      return { kind: 'login', login: more === undefined ? login : { ...login, more } };
    };
  }

  /** Forgets what is known of a tenant's logins; of all with `*`. */
  forget(tenantId: string): void {
    this.#tokens.forget(tenantId);
  }

  stop(): Promise<void> {
    return this.#tokens.stop();
  }
}
