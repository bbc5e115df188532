import { z } from 'zod';
import { secretText } from './parse-config.js';

const url = z.url({ protocol: /^https?$/ });

/** What AWS's own tools read to find credentials (AWS SDKs and Tools Reference Guide, "Environment variables"). */
export const awsShape = {
  AWS_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'is no region, such as eu-central-1')
    .optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1).max(200).optional(),
  AWS_SECRET_ACCESS_KEY: secretText(8).optional(),
  AWS_SESSION_TOKEN: secretText(8).optional(),
  AWS_ROLE_ARN: z.string().min(20).max(2_048).optional(),
  AWS_ROLE_SESSION_NAME: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/, 'is no session name: 2 to 64 letters, digits and +=,.@-')
    .optional(),
  AWS_WEB_IDENTITY_TOKEN_FILE: z.string().min(1).optional(),
  AWS_ENDPOINT_URL_STS: url.optional(),
  AWS_CONTAINER_CREDENTIALS_FULL_URI: url.optional(),
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: z.string().startsWith('/', 'is no path').optional(),
  AWS_CONTAINER_AUTHORIZATION_TOKEN: secretText(1).optional(),
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: z.string().min(1).optional(),
  AWS_EC2_METADATA_DISABLED: z.string().optional(),
  AWS_EC2_METADATA_SERVICE_ENDPOINT: url.optional(),
} as const;

const schema = z.object(awsShape);

/** What the environment says of AWS credentials. */
export type AwsEnvironment = z.infer<typeof schema>;

/** The domain of Amazon's endpoints in a region: China has its own. */
export function awsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
