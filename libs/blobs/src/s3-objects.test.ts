import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { objectStoreShape, parseConfig, PLATFORM_KEYS } from '#libs/config';
import { startAwsEndpoints, startObjectStore, type TestObjectStore } from '#libs/testing';
import { z } from 'zod';
import { BlobStore } from './index.js';
import { openBlobStore } from './open-blob-store.js';
import { S3Objects } from './s3-objects.js';

const schema = z.object(objectStoreShape);
const SLOW_DOWN = { status: 503, code: 'SlowDown' };
const CONTENT = Buffer.from('some bytes');

let store: TestObjectStore;
let objects: S3Objects;

beforeAll(async () => {
  store = await startObjectStore();
});
afterAll(() => store.stop());

beforeEach(() => {
  store.objects.clear();
  store.requests.length = 0;
  objects = opened({});
});

function settings(more: Record<string, string>) {
  return parseConfig(schema, { ...store.settings, ...more }, PLATFORM_KEYS);
}

function opened(more: Record<string, string>): S3Objects {
  const config = settings(more);
  if (config.WHARF_BLOBS_URL === undefined) throw new Error();
  const own = {
    prefix: 'WHARF_BLOBS',
    accessKeyId: config.WHARF_BLOBS_ACCESS_KEY_ID,
    secretAccessKey: config.WHARF_BLOBS_SECRET_ACCESS_KEY,
  };
  return new S3Objects({
    address: config.WHARF_BLOBS_URL,
    signing: { own, environment: config },
    attemptMs: 15_000,
  });
}

test('stores, reads and deletes under its prefix, with every request signed', async () => {
  await objects.put('t/1', CONTENT);
  expect([...store.objects.keys()]).toEqual(['here/t/1']);
  expect(await objects.get('t/1', 100)).toEqual(CONTENT);
  expect(await objects.get('t/2', 100)).toBeUndefined();
  await objects.delete('t/1');
  await objects.delete('t/1');
  expect(store.objects.size).toBe(0);
});

test('asks as the pod identity that it has, where no key is named', async () => {
  const aws = await startAwsEndpoints(store);
  const { WHARF_BLOBS_ACCESS_KEY_ID: _id, WHARF_BLOBS_SECRET_ACCESS_KEY: _secret, ...others } = store.settings;
  const pod = {
    ...others,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'agent-token',
  };
  const away: Error[] = [];
  await openBlobStore({} as never, parseConfig(schema, pod, PLATFORM_KEYS), (error) => away.push(error));
  expect([store.objects.size, away, aws.requests.length]).toEqual([1, [], 1]);
  const wrong = parseConfig(schema, { ...pod, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'other' }, PLATFORM_KEYS);
  const opening = openBlobStore({} as never, wrong, () => undefined);
  await expect(opening).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringContaining('pod identity'),
  });
  await aws.stop();
});

test('asks for objects as they are, and refuses a compressed answer at once', async () => {
  const answer = new Response(gzipSync(Buffer.alloc(1_000)), { headers: { 'content-encoding': 'gzip' } });
  const fetching = jest.spyOn(globalThis, 'fetch').mockResolvedValueOnce(answer);
  await expect(objects.get('t/1', 100)).rejects.toThrow('it sent a compressed answer (gzip)');
  expect(fetching.mock.calls.map(([request]) => new Request(request).headers.get('accept-encoding'))).toEqual([
    'identity',
  ]);
  fetching.mockRestore();
});

test('a key is written once: the same bytes are taken, others are not', async () => {
  await objects.put('t/1', CONTENT);
  await objects.put('t/1', CONTENT);
  await expect(objects.put('t/1', Buffer.from('other bytes'))).rejects.toThrow('another object has this key');
  expect(store.objects.get('here/t/1')).toEqual(CONTENT);
});

test('tries again where another attempt may end better, also when only the answer was lost', async () => {
  store.failNext(SLOW_DOWN, 'cut', 'cut after storing');
  await objects.put('t/1', CONTENT);
  expect(store.objects.get('here/t/1')).toEqual(CONTENT);
  store.failNext(SLOW_DOWN, 'cut');
  expect(await objects.get('t/1', 100)).toEqual(CONTENT);
});

test('gives up after four attempts, and at once where it is refused', async () => {
  store.failNext(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN, SLOW_DOWN);
  await expect(objects.get('t/1', 100)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(store.requests).toHaveLength(4);
  store.failNext({ status: 403, code: 'AccessDenied' });
  await expect(objects.get('t/1', 100)).rejects.toThrow('Allow it s3:GetObject');
  expect(store.requests).toHaveLength(5);
});

test('a bucket that is gone is not taken for keys that are', async () => {
  const noBucket = { status: 404, code: 'NoSuchBucket' };
  store.failNext(noBucket, noBucket);
  await expect(objects.get('t/1', 100)).rejects.toThrow('Create it');
  await expect(objects.delete('t/1')).rejects.toThrow('Create it');
});

test('a store without conditional writes is refused by its name, at once', async () => {
  store.failNext({ status: 501, code: 'NotImplemented' });
  await expect(objects.put('t/1', CONTENT)).rejects.toThrow('conditional writes');
  expect(store.requests).toHaveLength(1);
});

test('takes no more bytes than it was told to', async () => {
  await objects.put('t/1', CONTENT);
  await expect(objects.get('t/1', 5)).rejects.toThrow('more than 5 bytes');
});

test.each([
  ['a bucket that does not exist', { WHARF_BLOBS_URL: 's3://other-bucket/here?region=eu-central-1' }, 'Create it'],
  ['an unknown access key', { WHARF_BLOBS_ACCESS_KEY_ID: 'AKother' }, 'WHARF_BLOBS_ACCESS_KEY_ID'],
  ['a wrong secret', { WHARF_BLOBS_SECRET_ACCESS_KEY: 'wrong-secret' }, 'WHARF_BLOBS_SECRET_ACCESS_KEY'],
  ['another region', { WHARF_BLOBS_URL: 's3://wharf-test?region=us-east-2' }, 'region in WHARF_BLOBS_URL'],
])('a service does not start with %s, and says what to correct', async (_name, more, said) => {
  const url = (more as { WHARF_BLOBS_URL?: string }).WHARF_BLOBS_URL;
  const config = settings({
    ...more,
    ...(url === undefined ? {} : { WHARF_BLOBS_URL: `${url}&endpoint=${store.endpoint}` }),
  });
  const opening = openBlobStore({} as never, config, () => undefined);
  await expect(opening).rejects.toMatchObject({ name: 'ConfigError', message: expect.stringContaining(said) });
});

test('a store that is away for the moment does not keep a service from starting', async () => {
  const away: Error[] = [];
  const config = settings({ WHARF_BLOBS_URL: 's3://wharf-test?endpoint=http://127.0.0.1:9' });
  const opening = openBlobStore({} as never, config, (error) => away.push(error));
  expect(await opening).toBeInstanceOf(BlobStore);
  expect(String(away[0])).toContain('it did not answer');
});

test.each([
  ['https://bucket', 'must be s3://{bucket}'],
  ['s3://Bucket_1', 'names no bucket'],
  ['s3://bucket/a b', 'has a prefix with more than'],
  ['s3://key:secret@bucket', 'takes no credentials'],
  ['s3://bucket?regoin=x', 'knows no parameter regoin'],
  ['s3://bucket?endpoint=http://host/path', 'needs an endpoint'],
])('%s is no object store', (url, said) => {
  expect(() => parseConfig(schema, { WHARF_BLOBS_URL: url }, PLATFORM_KEYS)).toThrow(said);
});

test('without an endpoint it is Amazon’s, of the region', () => {
  expect(settings({ WHARF_BLOBS_URL: 's3://my-bucket/a/b?region=eu-west-1' }).WHARF_BLOBS_URL).toEqual({
    base: 'https://my-bucket.s3.eu-west-1.amazonaws.com/',
    bucket: 'my-bucket',
    prefix: 'a/b/',
    region: 'eu-west-1',
  });
});
