import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signatureFault, type SigningParty } from './signed-request.js';

/** What a request finds that is not to be answered as usual: a status with its S3 code, or a connection that is cut. */
export type ObjectStoreFault = { readonly status: number; readonly code: string } | 'cut' | 'cut after storing';

/** An object store that speaks S3 and checks every signature; it holds one bucket, in memory. */
export interface TestObjectStore extends SigningParty {
  readonly endpoint: string;
  readonly bucket: string;
  /** What a service is told, under a prefix. */
  readonly settings: Readonly<Record<string, string>>;
  /** What is in the bucket, by key. */
  readonly objects: Map<string, Buffer>;
  /** Requests so far, as `PUT key`. */
  readonly requests: string[];
  /** What the next requests find, one each. */
  failNext(...faults: readonly ObjectStoreFault[]): void;
  stop(): Promise<void>;
}

/** Starts an object store on a port of its own. */
export async function startObjectStore(): Promise<TestObjectStore> {
  const party = {
    accessKeyId: `AK${randomBytes(6).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('base64'),
    region: 'eu-central-1',
  };
  const bucket = 'wharf-test';
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const faults: ObjectStoreFault[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(request, response, body));
  });
  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const { method = '', url = '' } = request;
    const fault = signatureFault({ method, target: url, headers: headersOf(request), body }, party, Date.now());
    if (fault !== undefined) return refuse(response, 403, fault);
    const [, asked, ...rest] = new URL(url, 'http://host').pathname.split('/');
    const key = rest.map(decodeURIComponent).join('/');
    requests.push(`${method} ${key}`);
    const planned = faults.shift();
    if (planned === 'cut') return void request.socket.destroy();
    if (typeof planned === 'object') return refuse(response, planned.status, planned.code);
    if (asked !== bucket) return refuse(response, 404, 'NoSuchBucket');
    const reply = perform(objects, { method, key, body, isNew: request.headers['if-none-match'] === '*' });
    if (planned === 'cut after storing') return void request.socket.destroy();
    if (reply.code !== undefined) return refuse(response, reply.status, reply.code);
    response.writeHead(reply.status).end(reply.content);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
  return {
    ...party,
    endpoint,
    bucket,
    settings: {
      WHARF_BLOBS_URL: `s3://${bucket}/here?region=${party.region}&endpoint=${endpoint}`,
      WHARF_BLOBS_ACCESS_KEY_ID: party.accessKeyId,
      WHARF_BLOBS_SECRET_ACCESS_KEY: party.secretAccessKey,
    },
    objects,
    requests,
    failNext: (...planned) => void faults.push(...planned),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Operation {
  readonly method: string;
  readonly key: string;
  readonly body: Buffer;
  readonly isNew: boolean;
}

interface Reply {
  readonly status: number;
  readonly code?: string;
  readonly content?: Buffer;
}

function perform(objects: Map<string, Buffer>, { method, key, body, isNew }: Operation): Reply {
  const found = objects.get(key);
  switch (method) {
    case 'PUT':
      if (isNew && found !== undefined) return { status: 412, code: 'PreconditionFailed' };
      objects.set(key, body);
      return { status: 200 };
    case 'GET':
      return found === undefined ? { status: 404, code: 'NoSuchKey' } : { status: 200, content: found };
    case 'HEAD':
      return { status: found === undefined ? 404 : 200 };
    case 'DELETE':
      objects.delete(key);
      return { status: 204 };
    default:
      return { status: 405, code: 'MethodNotAllowed' };
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(document);
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer); // no encoding is set
  return Buffer.concat(parts);
}
