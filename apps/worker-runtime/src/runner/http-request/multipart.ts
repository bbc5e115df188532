import { createHash } from 'node:crypto';
import type { Placement } from '#libs/protocol';
import { PlacementFault, plainText } from './place-values.js';

/** An argument that goes into a multipart body. */
export type PartPiece = Placement & { readonly value: unknown };

/** A file as an agent gives it. */
interface GivenFile {
  readonly data: string;
  readonly filename?: string;
  readonly mimeType?: string;
}

const NOT_BASE64 = /[^A-Za-z0-9+/_-]/;
const MEDIA_TYPE = /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/;
const FILENAME_CHARACTERS_MAX = 255;

/**
 * A `multipart/form-data` body (RFC 7578) with a part for each argument, and one for each item of a list. The boundary
 * is a hash of the parts, so that no argument can hold it, and equal calls make equal requests.
 * @throws PlacementFault when a file is not base64
 */
export function multipartBody(pieces: readonly PartPiece[]): { readonly body: Buffer; readonly type: string } {
  const parts = pieces.flatMap((piece) =>
    (Array.isArray(piece.value) ? piece.value : [piece.value]).map((value) => partOf({ ...piece, value })),
  );
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  const boundary = `wharf-${hash.digest('hex').slice(0, 40)}`;
  const framed = parts.flatMap((part) => [Buffer.from(`--${boundary}\r\n`), part, Buffer.from('\r\n')]);
  return {
    body: Buffer.concat([...framed, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

function partOf(piece: PartPiece): Buffer {
  if (piece.part?.file === true) return filePart(piece);
  const { name, value, part } = piece;
  const type = part?.type ?? (typeof value === 'object' && value !== null ? 'application/json' : undefined);
  const text = type === 'application/json' ? JSON.stringify(value) : plainText(value);
  return Buffer.concat([headOf([`name="${quoted(name)}"`], type), Buffer.from(text)]);
}

function filePart({ argument, name, value, part }: PartPiece): Buffer {
  const { data, filename = name, mimeType } = readFile(argument, value);
  if (!isBase64(data)) throw new PlacementFault(`${argument} must be a file as base64 text, without line breaks.`);
  if (mimeType !== undefined && !MEDIA_TYPE.test(mimeType))
    throw new PlacementFault(`The mimeType of ${argument} must be a media type like "image/png".`);
  if (filename.length > FILENAME_CHARACTERS_MAX)
    throw new PlacementFault(`The filename of ${argument} is longer than ${FILENAME_CHARACTERS_MAX} characters.`);
  const head = headOf(
    [`name="${quoted(name)}"`, `filename="${quoted(filename)}"`],
    mimeType ?? part?.type ?? 'application/octet-stream',
  );
  return Buffer.concat([head, Buffer.from(data, 'base64')]);
}

/** Also its form for URLs, and without padding; the pattern only searches, so that a large file costs no stack. */
function isBase64(data: string): boolean {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  const bare = data.slice(0, data.length - padding);
  return bare.length % 4 !== 1 && (padding === 0 || data.length % 4 === 0) && !NOT_BASE64.test(bare);
}

function readFile(argument: string, value: unknown): GivenFile {
  if (typeof value === 'string') return { data: value };
  if (isFile(value)) return value;
  throw new PlacementFault(`${argument} must be base64 text, or {"data": base64, "filename": …, "mimeType": …}.`);
}

function isFile(value: unknown): value is GivenFile {
  if (typeof value !== 'object' || value === null || !('data' in value) || typeof value.data !== 'string') return false;
  return ['filename', 'mimeType'].every((name) => ['string', 'undefined'].includes(typeof Reflect.get(value, name)));
}

function headOf(disposition: readonly string[], type: string | undefined): Buffer {
  const line = `Content-Disposition: form-data; ${disposition.join('; ')}\r\n`;
  return Buffer.from(`${line}${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`);
}

/** A name within quotes, as the HTML standard writes it ("Multipart form data"): nothing can end the header. */
function quoted(text: string): string {
  return text.toWellFormed().replace(/["\r\n]/g, (found) => encodeURIComponent(found));
}
