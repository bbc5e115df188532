import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { publicKeyBytes, signCheckpoint, verifierKey } from '../index.js';

/** The example of Go's golang.org/x/mod/sumdb/note. */
const NAME = 'PeterNeumann';
const SIGNER = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64');
const VERIFIER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in DER. */
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SIGNER.subarray(1)]),
  format: 'der',
  type: 'pkcs8',
});

/** Opens a note of one signature by the text of C2SP signed-note; returns what was signed. @throws Error for a false one */
function opened(note: string, verifier: string): string {
  const [, name = '', keyId = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifier) ?? [];
  const end = note.lastIndexOf('\n\n') + 1;
  const line = new RegExp(`^— ${name} ([A-Za-z0-9+/]+=*)\n$`).exec(note.slice(end + 1));
  const signature = Buffer.from(line?.[1] ?? '', 'base64');
  if (signature.subarray(0, 4).toString('hex') !== keyId) throw new Error('another key');
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(encoded, 'base64').subarray(1),
  ]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  if (!verify(null, Buffer.from(note.slice(0, end)), key, signature.subarray(4))) throw new Error('a false signature');
  return note.slice(0, end);
}

test('names a key as Go’s checksum database does', () => {
  expect(verifierKey(NAME, publicKeyBytes(privateKey))).toBe(VERIFIER);
});

test('signs so that the reader which opens Go’s own note opens ours', () => {
  expect(opened(NOTE, VERIFIER)).toBe(NOTE.slice(0, NOTE.indexOf('\n\n') + 1));
  const note = signCheckpoint({ origin: NAME, treeSize: 3, rootHash: Buffer.alloc(32, 7) }, privateKey);
  expect(opened(note, VERIFIER)).toBe(`${NAME}\n3\n${Buffer.alloc(32, 7).toString('base64')}\n`);
  expect(() => opened(note.replace('\n3\n', '\n4\n'), VERIFIER)).toThrow('a false signature');
});
