import { describe, expect, test } from '@jest/globals';
import { ClientDocuments } from './client-documents.js';
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
    'https://168.63.129.16/c',
    'https://localhost/c',
  ])('is not fetched from %s (O-31)', async (url) => {
    const documents = new ClientDocuments();
    await expect(documents.fetch(url)).rejects.toThrow();
    await documents.stop();
  });
});
