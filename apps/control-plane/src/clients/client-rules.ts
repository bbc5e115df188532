import { judgeTarget } from '#libs/addresses';
import type { Problem } from '#libs/errors';
import { applicationTypeOf } from '#libs/identity';
import type { ClientRow } from './clients.repository.js';

const SECURE_LOOPBACK = /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/?]|$)/i;

/** What of a client must fit together. */
export type ClientShape = Pick<
  ClientRow,
  'kind' | 'auth_method' | 'redirect_uris' | 'scopes' | 'key_set' | 'key_set_url'
>;

/** What is wrong with the URL of a client's key set; undefined where it may be asked. */
export function keySetUrlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not an absolute URL';
  const url = new URL(text);
  return url.hash === '' ? judgeTarget(url, []).problem : 'must have no fragment';
}

/** Everything about a client that does not fit its kind. */
export function clientProblems(client: ClientShape): Problem[] {
  return [...methodProblems(client), ...redirectProblems(client), ...keyProblems(client)];
}

function methodProblems({ kind, auth_method: method }: ClientShape): Problem[] {
  if ((kind === 'public') === (method === 'none')) return [];
  const message =
    kind === 'public' ? 'A public client authenticates with none.' : `A ${kind} client must authenticate.`;
  return [{ pointer: '/token_endpoint_auth_method', message }];
}

function redirectProblems({ kind, redirect_uris: uris, scopes }: ClientShape): Problem[] {
  if (kind === 'machine') {
    const needless = uris.length === 0 ? [] : [problem('/redirect_uris', 'Nobody is sent back to a machine client.')];
    return scopes.length > 0 ? needless : [...needless, problem('/scopes', 'A machine client needs a scope.')];
  }
  const missing = uris.length > 0 ? [] : [problem('/redirect_uris', `A ${kind} client needs a redirect URI.`)];
  if (applicationTypeOf(uris) === 'native' && uris.some((uri) => SECURE_LOOPBACK.test(uri))) {
    missing.push(problem('/redirect_uris', 'An app on people’s machines uses http on a loopback address, not https.'));
  }
  const message = 'Only a machine client has scopes of its own; others get what people consent to.';
  return scopes.length === 0 ? missing : [...missing, problem('/scopes', message)];
}

function keyProblems({ auth_method: method, key_set: keys, key_set_url: url }: ClientShape): Problem[] {
  const given = Number(keys !== null) + Number(url !== null);
  if (method === 'private_key_jwt') {
    return given === 1 ? [] : [problem('/jwks', 'With private_key_jwt give either jwks or jwks_uri.')];
  }
  return given === 0 ? [] : [problem('/jwks', 'Only a client that authenticates with private_key_jwt has keys.')];
}

function problem(pointer: string, message: string): Problem {
  return { pointer, message };
}
