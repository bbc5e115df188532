import type { AwsEnvironment } from '#libs/config';
import { AwsCredentialsError, type CredentialSource } from './aws-credentials.js';
import { containerSource, type ContainerAgent } from './sources/container.js';
import { instanceSource } from './sources/instance-metadata.js';
import { webIdentitySource } from './sources/web-identity.js';

const WHAT_TO_GIVE =
  'Set the keys of its own settings (WHARF_BLOBS_ACCESS_KEY_ID or WHARF_KMS_ACCESS_KEY_ID, with its secret), or give it AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a role for its service account (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE), a pod identity (AWS_CONTAINER_CREDENTIALS_FULL_URI), or an instance with a role';

/**
 * Where this process's credentials come from, in the order of AWS's own tools: keys in the environment, a web identity,
 * the agent beside a container, the instance. What is there is used and nothing else, so that a role that fails is
 * never replaced by a wider one behind it. @throws AwsCredentialsError where what is set cannot be used
 */
export function findSource(environment: AwsEnvironment, region: string): CredentialSource {
  return (
    staticKeys(environment) ?? webIdentity(environment, region) ?? agentBeside(environment) ?? instance(environment)
  );
}

function staticKeys(environment: AwsEnvironment): CredentialSource | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new AwsCredentialsError(
      'refused',
      'Of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set. Set both, or neither.',
    );
  return async () => ({ accessKeyId, secretAccessKey, sessionToken: environment.AWS_SESSION_TOKEN });
}

function webIdentity(environment: AwsEnvironment, region: string): CredentialSource | undefined {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: roleArn } = environment;
  if (tokenFile === undefined) return undefined;
  if (roleArn === undefined)
    throw new AwsCredentialsError('refused', 'AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not. Set it too.');
  return webIdentitySource({
    roleArn,
    tokenFile,
    sessionName: environment.AWS_ROLE_SESSION_NAME ?? 'wharf',
    region: environment.AWS_REGION ?? region,
    endpoint: environment.AWS_ENDPOINT_URL_STS,
  });
}

function agentBeside(environment: AwsEnvironment): CredentialSource | undefined {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = environment;
  if (path !== undefined)
    return containerSource({ url: new URL(`http://169.254.170.2${path}`), token: agentToken(environment) });
  if (full === undefined) return undefined;
  return containerSource({ url: new URL(full), token: agentToken(environment) });
}

function agentToken(environment: AwsEnvironment): ContainerAgent['token'] {
  const file = environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  return file === undefined ? environment.AWS_CONTAINER_AUTHORIZATION_TOKEN?.reveal() : { file };
}

function instance(environment: AwsEnvironment): CredentialSource {
  if (environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true')
    throw new AwsCredentialsError('refused', `This service has no AWS credentials. ${WHAT_TO_GIVE}.`);
  const source = instanceSource(environment.AWS_EC2_METADATA_SERVICE_ENDPOINT);
  return () =>
    source().catch((error: unknown) => {
      // Nothing was set, and nobody is there: what is missing is a setting.
      const said = error instanceof Error ? error.message : String(error);
      throw new AwsCredentialsError('refused', `This service has no AWS credentials. ${WHAT_TO_GIVE}: ${said}`, error);
    });
}
