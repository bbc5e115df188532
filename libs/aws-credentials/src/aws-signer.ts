import { AwsClient } from 'aws4fetch';
import { ConfigError, type AwsEnvironment, type Secret } from '#libs/config';
import type { AwsCredentials } from './aws-credentials.js';
import { findSource } from './find-source.js';
import { KeptCredentials } from './kept-credentials.js';

/** Keys of this platform's own settings, which come before whatever else the environment has. */
export interface OwnKeys {
  /** What the settings begin with, such as `WHARF_KMS`. */
  readonly prefix: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: Secret | undefined;
  readonly sessionToken?: Secret | undefined;
}

/** For which service and region is signed, and who signs. */
export interface SignerOptions {
  readonly service: 'kms' | 's3';
  readonly region: string;
  readonly own: OwnKeys;
  readonly environment: AwsEnvironment;
}

/** Signs requests to AWS (Signature Version 4) with credentials that are fetched anew before they expire. */
export class AwsSigner {
  readonly #options: SignerOptions;
  readonly #credentials: KeptCredentials;
  #signer: { readonly client: AwsClient; readonly of: AwsCredentials } | undefined;

  /** @throws ConfigError where what is set cannot be used */
  constructor(options: SignerOptions) {
    this.#options = options;
    const own = ownKeys(options.own);
    this.#credentials = new KeptCredentials(
      own === undefined ? findSource(options.environment, options.region) : async () => own,
    );
  }

  /** Makes sure that there are credentials. @throws AwsCredentialsError */
  async ready(): Promise<void> {
    await this.#credentials.get();
  }

  /** A signed request, good for minutes. @throws AwsCredentialsError */
  async sign(url: string, init: RequestInit): Promise<Request> {
    return this.#clientFor(await this.#credentials.get()).sign(url, init);
  }

  #clientFor(credentials: AwsCredentials): AwsClient {
    if (this.#signer?.of !== credentials) this.#signer = { client: this.#clientOf(credentials), of: credentials };
    return this.#signer.client;
  }

  #clientOf({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): AwsClient {
    const { service, region } = this.#options;
    return new AwsClient({
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
      service,
      region,
    });
  }
}

function ownKeys({ prefix, accessKeyId, secretAccessKey, sessionToken }: OwnKeys): AwsCredentials | undefined {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new ConfigError(
      `Of ${prefix}_ACCESS_KEY_ID and ${prefix}_SECRET_ACCESS_KEY only one is set. Set both, or neither: then the AWS credentials of this service's surroundings are used.`,
    );
  return { accessKeyId, secretAccessKey, sessionToken };
}
