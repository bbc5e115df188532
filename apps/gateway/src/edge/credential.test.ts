import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { mintApiKey } from '#libs/identity';
import { credentialOf } from './credential.js';

const TENANT = '0190a000-0000-7000-8000-000000000001';
const OTHER = '0190a000-0000-7000-8000-000000000002';
const NO_QUERY = new URLSearchParams();

function requestOn(socket: Socket, headers: Record<string, string>): IncomingMessage {
  return { headers, socket } as unknown as IncomingMessage; // all that is read of it
}

test('each request of a connection has the credential of its own header', () => {
  const socket = new Socket();
  const [ours, theirs] = [mintApiKey(TENANT), mintApiKey(OTHER)];
  const given = [
    { authorization: `Bearer ${ours.text}` },
    { authorization: `Bearer ${ours.text}` },
    { authorization: `Bearer ${theirs.text}` },
    {},
    { 'x-api-key': ours.text },
    { authorization: ours.text },
    { authorization: 'Bearer some.access.token' },
    { authorization: 'Bearer some.access.token' },
    { authorization: 'DPoP some.access.token', dpop: 'proof' },
    { authorization: 'DPoP some.access.token', dpop: 'another' },
    { authorization: 'Bearer some.access.token' },
  ];
  const token = {
    kind: 'access-token',
    text: 'some.access.token',
    hash: hash('sha256', 'some.access.token', 'base64url'),
  };
  expect(given.map((headers) => credentialOf(requestOn(socket, headers), NO_QUERY))).toEqual([
    { kind: 'api-key', tenantId: TENANT, hash: ours.hash },
    { kind: 'api-key', tenantId: TENANT, hash: ours.hash },
    { kind: 'api-key', tenantId: OTHER, hash: theirs.hash },
    { kind: 'none' },
    { kind: 'api-key', tenantId: TENANT, hash: ours.hash },
    { kind: 'none' },
    token,
    token,
    { ...token, proof: 'proof' },
    { ...token, proof: 'another' },
    token,
  ]);
});

test('two credentials, and one in the query, are refused also on a connection whose key is known', () => {
  const socket = new Socket();
  const { text } = mintApiKey(TENANT);
  const headers = { authorization: `Bearer ${text}` };
  credentialOf(requestOn(socket, headers), NO_QUERY);
  expect(() => credentialOf(requestOn(socket, { ...headers, 'x-api-key': text }), NO_QUERY)).toThrow('one credential');
  expect(() => credentialOf(requestOn(socket, headers), new URLSearchParams({ token: 'x' }))).toThrow('in the URL');
});
