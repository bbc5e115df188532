import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import type { RuleId } from '#libs/connect-attempts';
import { authorizeRule } from '../connect-attempts/rules-of-errors.js';
import { wayBackOf } from './refused-authorizations.js';

/** What a page tells of a refused request. */
export interface ShownRefusal {
  readonly error: string;
  readonly description: string | undefined;
  /** Host of the document that a client names itself by, where the client is what was refused. */
  readonly documentHost: string | undefined;
  /** The rule at which an authorization request stopped; undefined where something else was refused. */
  readonly rule: RuleId | undefined;
  /** Leads to the client with the same answer. */
  readonly wayBack: URL | undefined;
}

/** What the page about the request that the provider just refused tells. */
export function refusalOf(ctx: KoaContextWithOIDC, out: ErrorOut): ShownRefusal {
  return {
    error: out.error,
    description: out.error_description,
    documentHost: documentHostOf(out.error, ctx.query['client_id']),
    rule: ctx.oidc?.route === 'authorization' ? ruleOf(ctx, out) : undefined,
    wayBack: wayBackOf(ctx),
  };
}

function ruleOf(ctx: KoaContextWithOIDC, { error, error_description: description = '' }: ErrorOut): RuleId {
  const clientId = ctx.query['client_id'];
  return authorizeRule({ error, description, detail: '' }, typeof clientId === 'string' ? clientId : undefined);
}

function documentHostOf(error: string, clientId: unknown): string | undefined {
  const named = typeof clientId === 'string' && /^https?:/.test(clientId) && URL.canParse(clientId);
  return named && error.startsWith('invalid_client') ? new URL(clientId).host : undefined;
}
