import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry by the OCI distribution specification, as far as somebody goes who asks for a tag's manifest. */
export class TestRegistry {
  readonly #manifests = new Map<string, string>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  /** What each answer about a manifest says of its digest, where that is not the truth. */
  liesWith: string | undefined;
  /** Bytes that are sent after a manifest. */
  tail = '';
  asked: string[] = [];

  static async start(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // listens on TCP
  }

  /** Has a tag stand for some index of manifests. @returns its digest */
  push(repository: string, tag: string, content: string): string {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      content,
    });
    this.#manifests.set(`${repository}:${tag}`, manifest);
    return digestOf(manifest);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname === '/token')
      return void response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope') ?? ''}` }));
    const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname) ?? [];
    const scope = `repository:${repository}:pull`;
    if (request.headers.authorization !== `Bearer for ${scope}`) {
      response.setHeader('www-authenticate', `Bearer realm="${this.url}/token",service="test",scope="${scope}"`);
      return void response.writeHead(401).end('{}');
    }
    this.asked.push(`${repository}:${tag}`);
    const manifest = this.#manifests.get(`${repository}:${tag}`);
    const isIndexWanted = request.headers.accept?.includes('application/vnd.oci.image.index.v1+json') === true;
    if (manifest === undefined || !isIndexWanted) return void response.writeHead(404).end('{}');
    response.setHeader('docker-content-digest', this.liesWith ?? digestOf(manifest));
    response.end(manifest + this.tail);
  }
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
