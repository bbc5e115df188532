import { ConfigError, type Secret } from '#libs/config';

/** Who asks AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken?: Secret | undefined;
  /** In ms since 1970; without it they are good until they are taken away. */
  readonly expiresAtMs?: number | undefined;
}

/** Where credentials come from: asked once for each set of them. @throws AwsCredentialsError */
export type CredentialSource = () => Promise<AwsCredentials>;

/** Thrown where there are no credentials: none are given to this service, or who gives them is away. */
export class AwsCredentialsError extends ConfigError {
  constructor(
    readonly kind: 'refused' | 'unavailable',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
