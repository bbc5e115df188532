import { z } from 'zod';
import { Secret } from '#libs/config';
import { AwsCredentialsError, type AwsCredentials } from '../aws-credentials.js';
import type { EndpointAnswer } from './ask-endpoint.js';

const answered = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().min(1).optional(),
  Expiration: z.iso.datetime({ offset: true }),
});

/** The credentials in a JSON answer of a container's agent or of the instance metadata service. @throws AwsCredentialsError */
export function answeredCredentials(name: string, { status, text }: EndpointAnswer, advice: string): AwsCredentials {
  const found = status === 200 ? answered.safeParse(jsonOf(text)) : undefined;
  if (found?.success !== true)
    throw new AwsCredentialsError(
      status >= 500 || status === 429 ? 'unavailable' : 'refused',
      `${name} answered ${status}${status === 200 ? ' without credentials' : ''}. ${advice}`,
    );
  return credentialsOf(found.data);
}

/** Credentials, as AWS names their parts. */
export function credentialsOf(parts: z.infer<typeof answered>): AwsCredentials {
  return {
    accessKeyId: parts.AccessKeyId,
    secretAccessKey: new Secret(parts.SecretAccessKey),
    sessionToken: parts.Token === undefined ? undefined : new Secret(parts.Token),
    expiresAtMs: Date.parse(parts.Expiration),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
