import { awsDomain } from '#libs/config';
import { askEndpoint, type EndpointAnswer } from './ask-endpoint.js';
import { credentialsOf } from './answered-credentials.js';
import { AwsCredentialsError, type AwsCredentials, type CredentialSource } from '../aws-credentials.js';
import { tokenInFile } from './token-file.js';

/** A role that a service account's token is exchanged for. */
export interface WebIdentity {
  readonly roleArn: string;
  readonly tokenFile: string;
  readonly sessionName: string;
  readonly region: string;
  /** Default: Amazon's of the region. */
  readonly endpoint: string | undefined;
}

/** STS's refusals that an operator can do something about (AWS STS API Reference, AssumeRoleWithWebIdentity: Errors). */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: 'Let the role’s trust policy allow sts:AssumeRoleWithWebIdentity to this service account.',
  ExpiredTokenException: 'See that the token’s file is kept new, and to this machine’s clock.',
  IDPCommunicationError: 'Try again: STS does not reach the identity provider.',
  IDPRejectedClaim: 'Correct the audience (sts.amazonaws.com) and the subject that the trust policy wants.',
  InvalidIdentityToken: 'Make the cluster’s OIDC issuer an identity provider of the AWS account.',
  RegionDisabledException: 'Enable STS in this region, or set AWS_REGION to another.',
  ValidationError: 'Correct AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME.',
};
const PASSING = new Set(['IDPCommunicationError', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded']);

/** Credentials of a role, from STS for a token in a file: roles for service accounts of EKS (IRSA) and their like. */
export function webIdentitySource(identity: WebIdentity): CredentialSource {
  const { region, endpoint, roleArn, sessionName, tokenFile } = identity;
  const url = new URL('/', endpoint ?? `https://sts.${region}.${awsDomain(region)}`);
  return async () => {
    const token = await tokenInFile('AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile);
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: token,
    });
    const answer = await askEndpoint({ name: `AWS STS (${url.host})`, attemptMs: 5_000 }, url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
    return read(answer, roleArn);
  };
}

function read({ status, text }: EndpointAnswer, roleArn: string): AwsCredentials {
  const [AccessKeyId, SecretAccessKey, Token, Expiration] = [
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ].map((name) => element(text, name));
  const isWhole = AccessKeyId !== undefined && SecretAccessKey !== undefined && Token !== undefined;
  if (status === 200 && isWhole && Expiration !== undefined && !Number.isNaN(Date.parse(Expiration)))
    return credentialsOf({ AccessKeyId, SecretAccessKey, Token, Expiration });
  const code = element(text, 'Code')?.slice(0, 100) ?? 'without a code';
  throw new AwsCredentialsError(
    status >= 500 || status === 429 || PASSING.has(code) ? 'unavailable' : 'refused',
    `AWS STS did not give credentials of ${roleArn} (${status} ${code}). ${ADVICE[code] ?? 'See AWS CloudTrail for the reason.'}`,
  );
}

/** The text of an element whose content needs no unescaping: keys, tokens, times and codes have no `&` and no `<`. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>\\s*([^<&]{1,20000}?)\\s*</${name}>`).exec(xml)?.[1];
}
