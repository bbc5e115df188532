import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, decodeJwt, UnsecuredJWT } from 'jose';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';

/**
 * A company's OpenID provider, in a process of its own: signs in whoever it is told to, without a page, and can be told
 * to lie. Its parent speaks with it over IPC.
 */

/** What the provider is told: who signs in next, and what is wrong with the ID token. */
export interface Told {
  readonly person?: Readonly<Record<string, unknown>> & { readonly sub: string };
  /** Claims of the ID token that are replaced. */
  readonly forged?: Readonly<Record<string, unknown>>;
  readonly signature?: 'good' | 'none' | 'foreign';
  /** The provider turns people away. */
  readonly refuses?: boolean;
  /** The person is no longer with the company. */
  readonly gone?: boolean;
  /** No refresh tokens are given. */
  readonly forgets?: boolean;
  /** Claims that only userinfo tells. */
  readonly userinfoOnly?: boolean;
}

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const callbacks = (process.argv[3] ?? '').split(',');
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const foreign = (await generateKeyPair('ES256')).privateKey;
const jwk = { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
let told: Told = {};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'wharf',
      client_secret: 'the-client-secret-of-wharf-at-the-company',
      redirect_uris: callbacks,
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [jwk] },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'email', 'email_verified', 'groups', '_claim_names'] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  cookies: { keys: ['a test'] },
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (_ctx, sub) =>
    told.gone === true ? undefined : { accountId: sub, claims: () => ({ ...told.person, sub }) },
  issueRefreshToken: () => told.forgets !== true,
  expiresWithSession: () => false,
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client?.clientId ?? '',
      accountId: ctx.oidc.account?.accountId ?? '',
    });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  await next();
  const { oidc } = ctx as KoaContextWithOIDC;
  if (oidc?.route !== 'token' || ctx.status !== 200) return;
  const body = ctx.body as { id_token: string };
  ctx.body = { ...body, id_token: await issued(body.id_token) };
});

async function issued(idToken: string): Promise<string> {
  const hidden = told.userinfoOnly === true ? { email: undefined, groups: undefined } : {};
  const claims = { ...decodeJwt(idToken), ...hidden, ...told.forged };
  if (told.signature === 'none') return new UnsecuredJWT(claims).encode();
  const key = told.signature === 'foreign' ? foreign : privateKey;
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key);
}

const answer = provider.callback();
const server = createServer((request, response) => {
  const isSignIn = request.url?.startsWith('/sign-in/') === true;
  if (!isSignIn) return void answer(request, response);
  const result =
    told.refuses === true
      ? { error: 'access_denied', error_description: 'not today' }
      : { login: { accountId: told.person?.sub ?? 'nobody', remember: false } };
  provider.interactionFinished(request, response, result).catch(() => response.writeHead(500).end());
});

process.on('message', (message: { told?: Told; sign?: { claims: Record<string, unknown>; header: object } }) => {
  if (message.told !== undefined) {
    told = message.told;
    process.send?.({ done: true });
  }
  if (message.sign !== undefined) {
    const { claims, header } = message.sign;
    void new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
      .sign(privateKey)
      .then((jwt) => process.send?.({ jwt }));
  }
});
process.on('disconnect', () => process.exit(0));
server.listen(port, 'localhost', () => process.send?.({ ready: true }));
