import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { isKnown } from '../contract/precondition.js';
import type { ManagedRequest } from '../edge/managed-request.js';

const ENCODINGS = ['br', 'gzip'] as const;
type Encoding = (typeof ENCODINGS)[number];

/** A text that everybody may read and that is the same until the service starts anew: compressed once, and known by its tag. */
export class Published {
  readonly #type: string;
  readonly #etag: string;
  readonly #plain: Buffer;
  readonly #compressed: Readonly<Record<Encoding, Promise<Buffer>>>;

  constructor(text: string, type: string) {
    this.#type = type;
    this.#plain = Buffer.from(text);
    this.#etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } };
    this.#compressed = {
      br: promisify(brotliCompress)(this.#plain, quality),
      gzip: promisify(gzip)(this.#plain),
    };
  }

  /** Answers with the text in the best form that the client takes; with 304 where it has that already. */
  async answer(request: ManagedRequest, response: Response): Promise<StreamableFile | undefined> {
    // The tag is of the text, whatever its encoding, and so a weak one (RFC 9110, section 8.8.1).
    response.set({ etag: `W/${this.#etag}`, 'cache-control': 'no-cache', vary: 'accept-encoding' });
    if (isKnown(request, this.#etag)) {
      response.status(304);
      return undefined;
    }
    const encoding = ENCODINGS.find((one) => request.acceptsEncodings(one) !== false);
    if (encoding !== undefined) response.set('content-encoding', encoding);
    const body = encoding === undefined ? this.#plain : await this.#compressed[encoding];
    return new StreamableFile(body, { type: this.#type, length: body.length });
  }
}
