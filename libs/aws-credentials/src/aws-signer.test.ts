import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awsShape, parseConfig, Secret } from '#libs/config';
import {
  GIVEN_SESSION_TOKEN,
  signatureFault,
  startAwsEndpoints,
  stsRefusal,
  type TestAwsEndpoints,
} from '#libs/testing';
import { z } from 'zod';
import { AwsSigner, type OwnKeys } from './aws-signer.js';

const KEYS = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY' };
const PARTY = { ...KEYS, region: 'eu-central-1', service: 'kms' };
const NO_KEYS: OwnKeys = { prefix: 'WHARF_KMS', accessKeyId: undefined, secretAccessKey: undefined };
const ROLE = 'arn:aws:iam::123456789012:role/wharf';

let aws: TestAwsEndpoints;
let folder: string;
let surroundings: Record<'role' | 'pod' | 'instance', Record<string, string>>;

beforeAll(async () => {
  aws = await startAwsEndpoints(KEYS);
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-aws-'));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  surroundings = {
    role: {
      AWS_ROLE_ARN: ROLE,
      AWS_WEB_IDENTITY_TOKEN_FILE: file('identity', 'service-account-token\n'),
      AWS_ENDPOINT_URL_STS: aws.url,
    },
    pod: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file('agent', 'agent-token'),
    },
    instance: { AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url },
  };
});
afterAll(async () => {
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  aws.requests.length = 0;
  aws.livesMs = 3_600_000;
});

function signer(environment: Record<string, string>, own: OwnKeys = NO_KEYS): AwsSigner {
  const parsed = parseConfig(z.object(awsShape), environment);
  return new AwsSigner({ service: 'kms', region: PARTY.region, own, environment: parsed });
}

async function signed(by: AwsSigner): Promise<Headers> {
  return (await by.sign('https://kms.eu-central-1.amazonaws.com/', { method: 'POST', body: '{}' })).headers;
}

const lines = (): string[] => aws.requests.map(({ line }) => line);

test.each([
  ['a role of the service account', 'role', ['POST /']],
  ['a pod identity', 'pod', ['GET /v1/credentials']],
  [
    'the instance’s role',
    'instance',
    [
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/wharf-role',
    ],
  ],
] as const)('signs as %s says', async (_what, name, asked) => {
  const headers = await signed(signer(surroundings[name]));
  const plain = { ...Object.fromEntries(headers), host: 'kms.eu-central-1.amazonaws.com' };
  const request = { method: 'POST', target: '/', headers: plain, body: Buffer.from('{}') };
  expect(signatureFault(request, PARTY, Date.now())).toBeUndefined();
  expect(headers.get('x-amz-security-token')).toBe(GIVEN_SESSION_TOKEN);
  expect(lines()).toEqual(asked);
});

test('own keys come first, then those of the environment, a role, a pod identity, and the instance last', async () => {
  const all = { ...surroundings.instance, ...surroundings.pod, ...surroundings.role };
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'of the environment' };
  const own = { prefix: 'WHARF_KMS', accessKeyId: 'AKIAOWN', secretAccessKey: new Secret('our own') };
  expect((await signed(signer({ ...all, ...keys }, own))).get('authorization')).toContain('Credential=AKIAOWN/');
  expect((await signed(signer({ ...all, ...keys }))).get('authorization')).toContain('Credential=AKIAENV/');
  expect(lines()).toEqual([]);
  await signed(signer(all));
  await signed(signer({ ...surroundings.instance, ...surroundings.pod }));
  expect(lines()).toEqual(['POST /', 'GET /v1/credentials']);
});

test('many who sign at once ask once, and nobody asks again while the credentials are good', async () => {
  const one = signer(surroundings.role);
  await Promise.all(Array.from({ length: 20 }, () => signed(one)));
  await signed(one);
  expect(lines()).toEqual(['POST /']);
});

test('asks again where the other side fails for the moment', async () => {
  aws.failNext({ status: 503, body: '' }, { status: 429, body: '' });
  await signed(signer(surroundings.role));
  expect(lines()).toHaveLength(3);
});

test.each([
  [
    'a role that does not trust it',
    'role',
    { status: 403, body: stsRefusal('AccessDenied') },
    /AccessDenied\).*trust policy/,
  ],
  ['an unknown issuer', 'role', { status: 400, body: stsRefusal('InvalidIdentityToken') }, /OIDC issuer/],
  ['an agent that gives nothing', 'pod', { status: 404, body: '{}' }, /answered 404.*pod identity association/],
  ['an agent that talks nonsense', 'pod', { status: 200, body: '<html>' }, /without credentials/],
  ['IMDSv2 that is off', 'instance', { status: 403, body: '' }, /no AWS credentials.*Turn IMDSv2 on/],
] as const)('%s is said with what to do, and is not asked twice', async (_what, name, fault, said) => {
  aws.failNext(fault);
  await expect(signer(surroundings[name]).ready()).rejects.toMatchObject({
    name: 'ConfigError',
    kind: 'refused',
    message: expect.stringMatching(said),
  });
  expect(lines()).toHaveLength(1);
});

test('the token of a refused request is in no message', async () => {
  aws.failNext({ status: 400, body: stsRefusal('InvalidIdentityToken') });
  const error = await signer(surroundings.role)
    .ready()
    .catch((thrown: unknown) => thrown);
  expect(String(error)).not.toContain('service-account-token');
});

test.each<[string, Record<string, string>, RegExp]>([
  ['half a pair of keys', { AWS_ACCESS_KEY_ID: 'AKIA' }, /only one is set/],
  ['a token file and no role', { AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere' }, /AWS_ROLE_ARN is not/],
  ['no agent of AWS', { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://10.0.0.1/c' }, /names 10\.0\.0\.1.*Correct it/],
  ['nothing at all', { AWS_EC2_METADATA_DISABLED: 'true' }, /has no AWS credentials.*service account/],
])('%s is refused before anybody is asked', (_what, environment, said) => {
  expect(() => signer(environment)).toThrow(said);
  expect(() => signer({}, { ...NO_KEYS, accessKeyId: 'AKIA' })).toThrow(/Of WHARF_KMS_ACCESS_KEY_ID and .*only one/);
});

test('a token file that is gone, or holds more than a token, is named', async () => {
  const gone = { ...surroundings.role, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(folder, 'gone') };
  await expect(signer(gone).ready()).rejects.toThrow(/AWS_WEB_IDENTITY_TOKEN_FILE, .*gone, cannot be read/);
  writeFileSync(path.join(folder, 'lines'), 'a\r\nx-evil: b');
  const lined = { ...surroundings.role, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(folder, 'lines') };
  await expect(signer(lined).ready()).rejects.toThrow(/holds no token/);
  expect(lines()).toEqual([]);
});
