import type { Actor } from './access-token.js';

/** Who is calling a tenant URL or the management API, as proved by credentials. */
export type Principal =
  | {
      readonly kind: 'person';
      readonly tenantId: string;
      /** The account's id (`sub`). */
      readonly subject: string;
      readonly issuer: string;
      readonly clientId: string;
      /** Who acts for the person, where a server does at another one. */
      readonly act?: Actor;
      readonly scopes: readonly string[];
    }
  /** A tenant's machine agent, for itself and for no person. */
  | {
      readonly kind: 'client';
      readonly tenantId: string;
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
  switch (principal.kind) {
    case 'person': {
      const { issuer, subject, clientId, act } = principal;
      return `person|${issuer}|${subject}|${clientId}${act === undefined ? '' : `|${actorsOf(act).join('|')}`}`;
    }
    case 'client':
      return `client|${principal.clientId}`;
    case 'api-key':
      return `api-key|${principal.keyId}`;
  }
}

/** The ids of those who act, the present one first. */
export function actorsOf(act: Actor): string[] {
  return [act.sub, ...(act.act === undefined ? [] : actorsOf(act.act))];
}
