import { Readable } from 'node:stream';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';

const PART = Buffer.alloc(1024 * 1024);
const PARTS = 128;

/** 128 MiB of zeros, compressed to well below 256 KiB, and made without ever holding them. */
export async function compressionBomb(coding: 'gzip' | 'br'): Promise<Buffer> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } };
  const packer = coding === 'gzip' ? createGzip() : createBrotliCompress(quality);
  const parts: Buffer[] = [];
  for await (const part of Readable.from(Array.from({ length: PARTS }, () => PART)).pipe(packer)) parts.push(part);
  return Buffer.concat(parts);
}
