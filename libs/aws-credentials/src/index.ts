export { AwsCredentialsError } from './aws-credentials.js';
export { AwsSigner, type SignerOptions } from './aws-signer.js';
