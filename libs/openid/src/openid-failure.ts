/** Why a provider cannot be used: `unreachable` may pass, `unusable` will not until somebody changes something. */
export class OpenIdFailure extends Error {
  override readonly name = 'OpenIdFailure';

  constructor(
    readonly kind: 'unreachable' | 'unusable',
    /** One sentence for whoever connected the provider. */
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
