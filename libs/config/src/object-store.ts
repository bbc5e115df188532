import { z } from 'zod';
import { awsDomain, awsShape } from './aws.js';
import { secretText } from './parse-config.js';

/** A bucket of an S3-compatible object store, and where in it the platform keeps its objects. */
export interface ObjectStoreAddress {
  /** What every object's URL begins with; ends with a slash. */
  readonly base: string;
  readonly bucket: string;
  /** What every key begins with: nothing, or ends with a slash. */
  readonly prefix: string;
  readonly region: string;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([\w.-]+\/)*$/;
const REGION = /^[a-z0-9-]{1,63}$/;
const FORM = 's3://{bucket}/{prefix}?region={region}&endpoint={URL}';

/** The keys of a service that reads or stores artefacts and archives; without them they are in PostgreSQL. */
export const objectStoreShape = {
  /** `s3://{bucket}/{prefix}?region={region}&endpoint={URL}`; without an endpoint it is Amazon's. */
  WHARF_BLOBS_URL: z.string().transform(addressOf).optional(),
  WHARF_BLOBS_ACCESS_KEY_ID: z.string().min(1).max(200).optional(),
  WHARF_BLOBS_SECRET_ACCESS_KEY: secretText(8).optional(),
  WHARF_BLOBS_SESSION_TOKEN: secretText(8).optional(),
  /** Who asks where no key is named here. */
  ...awsShape,
} as const;

function addressOf(text: string, context: z.RefinementCtx<string>): ObjectStoreAddress {
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:') return refuse(`must be ${FORM}`);
  const { hostname: bucket, searchParams: given } = url;
  const path = url.pathname.replace(/^\/+|\/+$/g, '');
  const prefix = path === '' ? '' : `${path}/`;
  const stranger = [...given.keys()].find((key) => key !== 'region' && key !== 'endpoint');
  if (stranger !== undefined) return refuse(`knows no parameter ${stranger}; must be ${FORM}`);
  if (url.username !== '' || url.password !== '')
    return refuse('takes no credentials; set WHARF_BLOBS_ACCESS_KEY_ID and WHARF_BLOBS_SECRET_ACCESS_KEY');
  if (!BUCKET.test(bucket)) return refuse(`names no bucket; must be ${FORM}`);
  if (!PREFIX.test(prefix) || prefix.split('/').some((part) => part === '.' || part === '..'))
    return refuse('has a prefix with more than letters, digits, dots, dashes, underscores and slashes');
  const region = given.get('region') ?? 'us-east-1';
  if (!REGION.test(region)) return refuse('has a region that is none, such as eu-central-1');
  const endpoint = given.get('endpoint');
  if (endpoint === null)
    return { base: `https://${bucket}.s3.${region}.${awsDomain(region)}/`, bucket, prefix, region };
  if (!isOrigin(endpoint)) return refuse('needs an endpoint that is http(s)://{host}[:{port}] and nothing else');
  return { base: `${new URL(endpoint).origin}/${bucket}/`, bucket, prefix, region };
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    (url?.protocol === 'https:' || url?.protocol === 'http:') && url.href === `${url.origin}/` && url.hostname !== ''
  );
}
