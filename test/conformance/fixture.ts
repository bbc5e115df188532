import { OperatorApi, signUp, startUpstream, WharfApi, type Upstream } from '#libs/journey';
import type { Wharf } from '#libs/testing';

/** A tenant with one published server, as the suite finds it. */
export interface Fixture {
  readonly tenantUrl: string;
  readonly serverUrl: string;
  readonly apiKey: string;
  readonly person: { readonly email: string; readonly password: string };
  readonly upstream: Upstream;
}

/** Signs up and publishes a bookshop with declarative HTTP tools, one of which mirrors an argument in a header. */
export async function publishFixture(wharf: Wharf): Promise<Fixture> {
  const person = { email: 'owner@conformance.example', password: 'correct horse battery staple' };
  const upstream = await startUpstream();
  const signedUp = await signUp(wharf.url, { tenantName: 'Conformance', slug: 'acme-suite', ...person });
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: signedUp.api_key.text });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('acme-suite', upstream.host, upstream.port, 'the suite’s own upstream');
  await api.createServer('books', 'Bookshop');
  const { release } = await api.createRelease('books', {
    kind: 'http',
    tools: [
      { name: 'list_books', description: 'Lists every book of the shop.', method: 'GET', url: `${upstream.url}/books` },
      {
        name: 'get_book',
        description: 'Shows one book.',
        inputSchema: {
          type: 'object',
          properties: { id: { type: 'integer', description: 'Number of the book.' } },
          required: ['id'],
        },
        method: 'GET',
        url: `${upstream.url}/books/{id}`,
      },
      {
        name: 'find_books',
        description: 'Lists the books with a title.',
        inputSchema: {
          type: 'object',
          properties: { title: { type: 'string', 'x-mcp-header': 'Title' } },
          required: ['title'],
        },
        method: 'GET',
        url: `${upstream.url}/books`,
      },
    ],
  });
  await api.publish('books', release.id);
  return {
    tenantUrl: `${wharf.url}/t/acme-suite/mcp`,
    serverUrl: `${wharf.url}/t/acme-suite/books/mcp`,
    apiKey: signedUp.api_key.text,
    person,
    upstream,
  };
}
