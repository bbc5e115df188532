import { isIPv4 } from 'node:net';
import { askEndpoint } from './ask-endpoint.js';
import { answeredCredentials } from './answered-credentials.js';
import { AwsCredentialsError, type CredentialSource } from '../aws-credentials.js';
import { tokenInFile } from './token-file.js';

/** Where the agent beside a container gives credentials, and what it wants to see. */
export interface ContainerAgent {
  readonly url: URL;
  readonly token: string | { readonly file: string } | undefined;
}

/** Addresses of the agents of ECS and EKS, which nobody else can have (link-local). */
const AGENTS = new Set(['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]']);
const ADVICE = 'See to the task’s role, or to the pod identity association of this service account.';

/** Credentials of the agent beside a container: EKS Pod Identity, and tasks of ECS. @throws AwsCredentialsError */
export function containerSource({ url, token }: ContainerAgent): CredentialSource {
  if (url.protocol !== 'https:' && !isNear(url.hostname))
    throw new AwsCredentialsError(
      'refused',
      `AWS_CONTAINER_CREDENTIALS_FULL_URI is http and names ${url.hostname}, which is neither this machine nor an agent of AWS. Correct it.`,
    );
  const name = `The agent for credentials at ${url.origin}`;
  return async () => {
    const authorization = typeof token === 'object' ? await tokenOf(token.file) : token;
    const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    const answer = await askEndpoint({ name, attemptMs: 2_000 }, url, { headers });
    return answeredCredentials(name, answer, ADVICE);
  };
}

function tokenOf(file: string): Promise<string> {
  return tokenInFile('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file);
}

function isNear(hostname: string): boolean {
  return AGENTS.has(hostname) || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}
