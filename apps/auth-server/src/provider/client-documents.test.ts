import { describe, expect, test } from '@jest/globals';
import { ClientDocuments } from './client-documents.js';
import { isPublicAddress } from './public-address.js';
import { parseClientDocument } from './registration.js';

const URL_OF_CLIENT = 'https://app.example/client.json';
const DOCUMENT = {
  client_id: URL_OF_CLIENT,
  client_name: 'App',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:something:else'],
  scope: 'whatever',
};

function parse(document: unknown): Readonly<Record<string, unknown>> {
  return parseClientDocument(URL_OF_CLIENT, Buffer.from(JSON.stringify(document)));
}

describe('a client’s metadata document', () => {
  test('gives what we know and nothing else', () => {
    expect(parse(DOCUMENT)).toEqual({
      client_id: URL_OF_CLIENT,
      client_name: 'App',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    });
  });

  test.each([
    ['names another URL (O-30)', { ...DOCUMENT, client_id: `${URL_OF_CLIENT}/` }],
    ['has a secret (O-32)', { ...DOCUMENT, client_secret: 'x' }],
    ['wants to authenticate with a secret (O-32)', { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_post' }],
    ['has no name', { ...DOCUMENT, client_name: undefined }],
    ['redirects to plain http', { ...DOCUMENT, redirect_uris: ['http://app.example/cb'] }],
    ['is a list', [DOCUMENT]],
  ])('is refused when it %s', (_reason, document) => {
    expect(() => parse(document)).toThrow();
  });

  test.each([
    'http://app.example/c',
    'https://127.0.0.1/c',
    'https://[::1]/c',
    'https://[::ffff:10.0.0.1]/c',
    'https://localhost/c',
  ])('is not fetched from %s (O-31)', async (url) => {
    const documents = new ClientDocuments();
    await expect(documents.fetch(url)).rejects.toThrow();
    await documents.stop();
  });

  test.each([
    ['8.8.8.8', true],
    ['2606:4700::1111', true],
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['::', false],
    ['::1', false],
    ['fd00::1', false],
    ['fe80::1', false],
    ['::ffff:127.0.0.1', false],
    ['::7f00:1', false],
    ['64:ff9b::a00:1', false],
    ['100:0:0:1::1', false],
    ['4000::1', false],
    ['2002:a00:1::', false],
    ['name', false],
  ])('may come from %s: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected);
  });
});
