import { expect, test } from '@jest/globals';
import { signatureFault } from './signed-request.js';

// The examples of "Signature Calculations for the Authorization Header" in the Amazon S3 API Reference.
const PARTY = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const AT = Date.UTC(2013, 4, 24);
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function example(method: string, target: string, signature: string, more: Record<string, string> = {}, body = '') {
  const headers: Record<string, string> = {
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': EMPTY,
    'x-amz-date': '20130524T000000Z',
    ...more,
  };
  const signed = Object.keys(headers).sort().join(';');
  const scope = `${PARTY.accessKeyId}/20130524/us-east-1/s3/aws4_request`;
  headers['authorization'] = `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signed},Signature=${signature}`;
  return { method, target, headers, body: Buffer.from(body) };
}

const GET = example('GET', '/test.txt', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41', {
  range: 'bytes=0-9',
});
const PUT = example(
  'PUT',
  '/test%24file.text',
  '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  {
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  'Welcome to Amazon S3.',
);
const LIFECYCLE = example('GET', '/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
const LIST = example(
  'GET',
  '/?max-keys=2&prefix=J',
  '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
);

test.each([
  ['GET Object', GET],
  ['PUT Object', PUT],
  ['GET Bucket Lifecycle', LIFECYCLE],
  ['GET Bucket (List Objects)', LIST],
])('takes Amazon’s own example of %s', (_name, request) => {
  expect(signatureFault(request, PARTY, AT)).toBeUndefined();
});

test.each([
  ['another key', { ...PUT, target: '/test%24file2.text' }, 'SignatureDoesNotMatch'],
  ['another method', { ...PUT, method: 'POST' }, 'SignatureDoesNotMatch'],
  ['another body', { ...PUT, body: Buffer.from('Welcome!') }, 'XAmzContentSHA256Mismatch'],
  ['a header that was added', { ...PUT, headers: { ...PUT.headers, 'x-amz-acl': 'public-read' } }, 'AccessDenied'],
  ['no signature', { ...GET, headers: { host: 'examplebucket.s3.amazonaws.com' } }, 'AccessDenied'],
])('refuses %s', (_name, request, code) => {
  expect(signatureFault(request, PARTY, AT)).toBe(code);
});

test('refuses who is not known, who does not know the secret, and what is too old', () => {
  expect(signatureFault(GET, { ...PARTY, accessKeyId: 'other' }, AT)).toBe('InvalidAccessKeyId');
  expect(signatureFault(GET, { ...PARTY, secretAccessKey: 'other' }, AT)).toBe('SignatureDoesNotMatch');
  expect(signatureFault(GET, { ...PARTY, region: 'eu-central-1' }, AT)).toBe('AuthorizationHeaderMalformed');
  expect(signatureFault(GET, PARTY, AT + 16 * 60 * 1_000)).toBe('RequestTimeTooSkewed');
});
