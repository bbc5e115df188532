import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

/**
 * How answers reach a client: in the redirect. `form_post`, which the provider knows too, would be a page that is not
 * ours, under a policy that is not ours; no agent uses it.
 */
export const RESPONSE_MODES: readonly string[] = ['query', 'fragment'];

/** Sends answers, and errors too, in no other way than a redirect. */
export function answerInRedirects(provider: Provider): void {
  // Nothing is asked for where `response_type` is missing, which is refused as such.
  provider.Client.prototype.responseModeAllowed = (mode: string | undefined) =>
    mode === undefined || RESPONSE_MODES.includes(mode);
  const forget = ({ oidc }: KoaContextWithOIDC): void => {
    const params = oidc?.params;
    const mode = params?.['response_mode'];
    if (params === undefined || mode === undefined || RESPONSE_MODES.includes(String(mode))) return;
    params['response_mode'] = undefined;
  };
  provider.on('authorization.error', forget);
  provider.on('server_error', forget);
}
