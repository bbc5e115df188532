import { askEndpoint } from './ask-endpoint.js';
import { answeredCredentials } from './answered-credentials.js';
import { AwsCredentialsError, type CredentialSource } from '../aws-credentials.js';

const NAME = 'The instance metadata service';
const ENDPOINT = { name: NAME, attemptMs: 1_000 };
const ROLES = '/latest/meta-data/iam/security-credentials/';
/** For as long as one set of credentials is asked for. */
const TOKEN_SECONDS = '60';

/** Credentials of an EC2 instance's role (IMDSv2: a token first, which nobody gets who can only send GET). */
export function instanceSource(endpoint = 'http://169.254.169.254'): CredentialSource {
  return async () => {
    const token = await askEndpoint(ENDPOINT, new URL('/latest/api/token', endpoint), {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS },
    });
    if (token.status !== 200 || !/^[\x21-\x7e]{1,1000}$/.test(token.text))
      throw new AwsCredentialsError('refused', `${NAME} gave no token (${token.status}). Turn IMDSv2 on.`);
    const headers = { 'x-aws-ec2-metadata-token': token.text };
    const roles = await askEndpoint(ENDPOINT, new URL(ROLES, endpoint), { headers });
    const role = roles.text.trim().split('\n')[0] ?? '';
    if (roles.status !== 200 || !/^[\w+=,.@-]{1,128}$/.test(role))
      throw new AwsCredentialsError('refused', `${NAME} names no role (${roles.status}). Give the instance a role.`);
    const answer = await askEndpoint(ENDPOINT, new URL(`${ROLES}${role}`, endpoint), { headers });
    return answeredCredentials(`${NAME}, asked for ${role},`, answer, 'See that the role may be used by EC2.');
  };
}
