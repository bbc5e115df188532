import { z } from 'zod';
import { AwsSigner, type SignerOptions } from '#libs/aws-credentials';
import { awsDomain, ConfigError } from '#libs/config';
import { ask, type Answer } from './ask.js';
import type { WrappingKeeper } from './key-keeper.js';

/** How AWS KMS is reached. */
export interface KmsOptions {
  readonly region: string;
  /** Default: Amazon's of the region. */
  readonly endpoint: string | undefined;
  /** Which KMS key wraps (id, ARN or alias); opening needs none, the wrapped text says it. */
  readonly keyId: string | undefined;
  /** Who asks. */
  readonly signing: Pick<SignerOptions, 'own' | 'environment'>;
}

/** Authenticated with each wrapped key, and in CloudTrail with each use; policies may require it. */
const CONTEXT = { wharf: 'master-key' };

const decrypted = z.object({ Plaintext: z.base64() });
const encrypted = z.object({ CiphertextBlob: z.base64() });
const refused = z.object({ __type: z.string() });

/** KMS's refusals that an operator can do something about (AWS KMS API Reference, Decrypt: Errors). */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException: 'Allow these credentials kms:Decrypt (to wrap: kms:Encrypt) with the encryption context.',
  DisabledException: 'Enable the KMS key.',
  IncorrectKeyException: 'Name the KMS key that the master key was wrapped with, or leave WHARF_KMS_KEY out.',
  IncompleteSignature: 'Correct the credentials.',
  InvalidCiphertextException:
    'The text after `aws-kms:` is not what KMS wrapped for this purpose: take it whole, and as it was.',
  InvalidSignatureException: 'Correct the secret access key (WHARF_KMS_SECRET_ACCESS_KEY) and this machine’s clock.',
  KMSInvalidStateException: 'See to the KMS key: it is not enabled, or it is to be deleted.',
  NotFoundException: 'Correct WHARF_KMS_KEY and WHARF_KMS_REGION.',
  UnrecognizedClientException:
    'Correct the access key (WHARF_KMS_ACCESS_KEY_ID), its session token and WHARF_KMS_REGION.',
  ExpiredTokenException: 'Give this service credentials that have not expired.',
};

/** Master keys that a key of AWS KMS has wrapped: `aws-kms:{CiphertextBlob}`. */
export class KmsKeys implements WrappingKeeper {
  readonly scheme = 'aws-kms:';
  readonly #signer: AwsSigner;
  readonly #url: string;
  readonly #keyId: string | undefined;

  constructor({ region, endpoint, keyId, signing }: KmsOptions) {
    this.#signer = new AwsSigner({ service: 'kms', region, ...signing });
    this.#url = new URL('/', endpoint ?? `https://kms.${region}.${awsDomain(region)}`).href;
    this.#keyId = keyId;
  }

  async open(text: string): Promise<string> {
    const ciphertext = text.slice(this.scheme.length);
    if (!z.base64().min(4).safeParse(ciphertext).success)
      throw new ConfigError(
        'The text after `aws-kms:` in WHARF_MASTER_KEY is not base64: name the key as `npm run keys -- wrap` printed it.',
      );
    const answer = await this.#ask('Decrypt', {
      CiphertextBlob: ciphertext,
      EncryptionContext: CONTEXT,
      ...(this.#keyId === undefined ? {} : { KeyId: this.#keyId }),
    });
    return Buffer.from(parsed(answer, decrypted).Plaintext, 'base64').toString();
  }

  async wrap(masterKey: string): Promise<string> {
    if (this.#keyId === undefined) throw new ConfigError('Set WHARF_KMS_KEY to the KMS key that is to wrap.');
    const answer = await this.#ask('Encrypt', {
      KeyId: this.#keyId,
      Plaintext: Buffer.from(masterKey).toString('base64'),
      EncryptionContext: CONTEXT,
    });
    return `${this.scheme}${parsed(answer, encrypted).CiphertextBlob}`;
  }

  async #ask(operation: 'Decrypt' | 'Encrypt', body: unknown): Promise<Answer> {
    // Before the attempts: who gives credentials was asked often enough, and says itself what is wrong.
    await this.#signer.ready();
    // Signed anew for each attempt: a signature is good for minutes.
    return ask('AWS KMS', () =>
      this.#signer.sign(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` },
        body: JSON.stringify(body),
      }),
    );
  }
}

function parsed<Body>({ status, body }: Answer, schema: z.ZodType<Body>): Body {
  const found = status === 200 ? schema.safeParse(body) : undefined;
  if (found?.success === true) return found.data;
  const code = refused.safeParse(body).data?.__type.split('#').at(-1)?.slice(0, 100);
  const advice = ADVICE[code ?? ''] ?? 'See AWS CloudTrail for the reason, and try again.';
  throw new ConfigError(
    `AWS KMS did not open or wrap the master key (${status} ${code ?? 'without a code'}). ${advice}`,
  );
}
