import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Transform, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
/** Fast: rows of text shrink to a quarter at the first level already. */
const COMPRESSION = { level: 1 };

/** What it takes to open a sealed file, and to know that it is whole; binary members in hexadecimal. */
export interface FileSeal {
  readonly bytes: number;
  readonly sha256: string;
  readonly nonce: string;
  readonly tag: string;
}

/** Counts and hashes what passes. */
function meter(): { readonly stream: Transform; result(): { bytes: number; sha256: string } } {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

/** Compresses and seals a stream into a new file (gzip, then AES-256-GCM with `context` authenticated). */
export async function writeSealed(file: string, key: Buffer, context: string, source: Readable): Promise<FileSeal> {
  const nonce = randomBytes(12);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const passed = meter();
  const target = createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true });
  await pipeline(source, createGzip(COMPRESSION), cipher, passed.stream, target);
  return { ...passed.result(), nonce: nonce.toString('hex'), tag: cipher.getAuthTag().toString('hex') };
}

/** Sends the plain bytes of a sealed file to `target`. @throws Error at its end when the file was changed */
export async function readSealed(
  file: string,
  key: Buffer,
  context: string,
  seal: FileSeal,
  target: Writable,
): Promise<void> {
  // A shorter tag, of a seal that was cut off, could be guessed.
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(seal.nonce, 'hex'), options)
    .setAAD(Buffer.from(context))
    .setAuthTag(Buffer.from(seal.tag, 'hex'));
  await pipeline(createReadStream(file), decipher, createGunzip(), target);
}

/** Whether a file's bytes are those that were written. */
export async function isWhole(file: string, seal: FileSeal): Promise<boolean> {
  const passed = meter();
  passed.stream.resume();
  await pipeline(createReadStream(file), passed.stream);
  const { bytes, sha256 } = passed.result();
  return bytes === seal.bytes && sha256 === seal.sha256;
}
