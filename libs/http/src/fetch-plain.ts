/** What a request says of codings: the answer shall come as it is (RFC 9110, 12.5.3). */
export interface PlainRequest {
  readonly 'accept-encoding': 'identity';
}

/** An answer that was read to its end. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Buffer;
}

/** What of `Response` is needed here: the standard's and undici's name the same differently. */
interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null;
}

interface AnswerHeaders extends Iterable<[string, string]> {
  get(name: string): string | null;
}

/** An answer that is not read: it is compressed, or too long. A TypeError as all that `fetch` throws of the other side. */
export class AnswerRefused extends TypeError {
  override readonly name = 'AnswerRefused';
}

/**
 * Fetches what is sent as it is, at most `bytesMax` bytes: `fetch` undoes compression whoever asked for it, and a few
 * hundred bytes may become gigabytes. `send` is given what to say of it. @throws AnswerRefused
 */
export async function fetchPlain(
  send: (plain: PlainRequest) => Promise<Answer>,
  bytesMax: number | ((status: number) => number),
): Promise<PlainAnswer> {
  const { status, headers, body } = await send({ 'accept-encoding': 'identity' });
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding.trim().toLowerCase() !== 'identity') {
    await body?.cancel().catch(() => undefined); // it is refused, however it ends
    throw new AnswerRefused(`it sent a compressed answer (${coding.slice(0, 50)}), which was not asked for`);
  }
  const content = await readAtMost(body ?? [], typeof bytesMax === 'number' ? bytesMax : bytesMax(status));
  return { status, headers, body: content };
}

async function readAtMost(body: AsyncIterable<Uint8Array> | [], bytesMax: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > bytesMax) throw new AnswerRefused(`it sent more than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
