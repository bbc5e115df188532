import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as fc from 'fast-check';
import type { OpenApiDocument } from './openapi-document/build-document.js';
import type { Operation } from './openapi-document/operation.js';
import { requestsOf, type MadeRequest, type Subject } from './testing/arbitrary-requests.fixture.js';
import { startControlPlane, type Answer, type ControlPlane, type TestTenant } from './testing/control-plane.fixture.js';
import { isForPeople } from './testing/member-examples.fixture.js';
import { ROUTE_EXAMPLES } from './testing/route-examples.fixture.js';
import type { Example } from './testing/example.fixture.js';

/** Requests for each route; `WHARF_TEST_REQUESTS` says otherwise. */
const REQUESTS = Number(process.env['WHARF_TEST_REQUESTS'] ?? 20);
const EXAMPLES = 1;
const SEED_TEXT = process.env['WHARF_TEST_SEED'] ?? '20251121';
const SEED = SEED_TEXT === 'random' ? randomInt(2 ** 31) : Number(SEED_TEXT);

let api: ControlPlane;
let tenant: TestTenant;
let stranger: TestTenant;
/** Is asked to be deleted, and then does nothing else any more. */
let leaving: TestTenant;
let document: OpenApiDocument;
let ajv: Ajv2020;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  [tenant, stranger, leaving] = await Promise.all([api.newTenant(), api.newTenant(), api.newTenant()]);
  document = (await api.send('GET', '/v1/openapi.json')).body;
  ajv = new Ajv2020({ strict: false, schemas: [{ ...document, $id: 'https://document.test/openapi' }] });
  formats.default(ajv);
  const plan = {
    calls_per_minute: 100,
    concurrent_calls: 10,
    servers_max: 1_000,
    worker_memory_mb: 256,
    reason: 'room',
  };
  await api.send('PUT', '/admin/v1/plans/roomy', { key: api.operatorKey, body: plan });
  const change = { key: api.operatorKey, body: { plan: 'roomy', reason: 'room' } };
  await api.send('PUT', `/admin/v1/tenants/${tenant.slug}/plan`, change);
});

afterEach(() => api.send('DELETE', '/admin/v1/maintenance?reason=over', { key: api.operatorKey }));
afterAll(() => api?.stop());

/** Operators act on a tenant of their own here: a suspended tenant would answer nothing else any more. */
function tenantOf(route: string): TestTenant {
  if (route.includes(' /admin/')) return stranger;
  return route === 'DELETE /v1/tenant' ? leaving : tenant;
}

async function examplesOf(route: string): Promise<Example[]> {
  const make = ROUTE_EXAMPLES[route];
  if (make === undefined) throw new Error(`${route} has no example`);
  const of = tenantOf(route);
  const examples: Example[] = [];
  for (let made = 0; made < EXAMPLES; made += 1) examples.push(await make(api, of));
  return examples;
}

async function subjectOf(route: string): Promise<Subject> {
  const [method = '', pattern = ''] = route.split(' ');
  const operation: Operation | undefined = document.paths[pattern]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`${route} is not in the document`);
  const caller = route.includes(' /admin/') ? tenant : tenantOf(route);
  const own = isForPeople(route) ? await api.tokenOf(caller, caller.ownerId) : caller.key;
  const keys = [own, api.operatorKey];
  const [right = '', other = ''] = route.includes(' /admin/') ? keys.toReversed() : keys;
  return {
    method,
    pattern,
    operation,
    document,
    examples: await examplesOf(route),
    keys: [right, other, '', 'no key'],
  };
}

/** What an answer has that the document does not promise; undefined when it keeps to it. */
function brokenPromise({ operation, method, pattern }: Subject, answer: Answer): string | undefined {
  const declared = operation.responses[String(answer.status)];
  if (answer.status >= 500) return 'a fault of the service';
  if (declared === undefined) return 'a status that the document does not declare';
  const types = Object.entries(declared.content ?? {});
  const sent = answer.headers.get('content-type') ?? '';
  const [mediaType = '', content] = types.find(([type]) => sent.startsWith(type)) ?? types[0] ?? [];
  if (mediaType === '') return answer.text === '' ? undefined : 'a body that the document does not declare';
  if (answer.headers.get('content-type')?.startsWith(mediaType) !== true) return `not ${mediaType}`;
  if (!/[/+]json$/.test(mediaType)) return undefined;
  if (mediaType.includes('problem') && answer.body.request_id !== answer.headers.get('x-request-id')) return 'no id';
  const place = ['paths', pattern, method.toLowerCase(), 'responses', String(answer.status), 'content', mediaType]
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/');
  if (content === undefined || ajv.validate({ $ref: `https://document.test/openapi#/${place}/schema` }, answer.body)) {
    return undefined;
  }
  return `a body that is not of its schema: ${ajv.errorsText()}`;
}

test('every route that this service has is asked: the document lists what its router found, but for what another service answers', () => {
  const operations = Object.entries(document.paths).flatMap(([pattern, item]) =>
    Object.entries(item).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${pattern}`, operation })),
  );
  const own = operations.filter(({ operation }) => operation['x-served-by'] === undefined).map(({ route }) => route);
  expect(Object.keys(ROUTE_EXAMPLES).toSorted()).toEqual(own.toSorted());
  const newest = ['POST /v1/secrets/{name}/versions/{version}/restore', 'POST /admin/v1/imports/{import}/retry'];
  expect(own).toEqual(expect.arrayContaining(newest));
});

test.each(Object.keys(ROUTE_EXAMPLES))('%s answers whatever it is sent as the document says', async (route) => {
  const subject = await subjectOf(route);
  const keepsItsPromise = async ({ path, ...sent }: MadeRequest): Promise<void> => {
    const answer = await api.send(subject.method, path, sent);
    const broken = brokenPromise(subject, answer);
    if (broken !== undefined) throw new Error(`${answer.status}, ${broken}: ${answer.text.slice(0, 500)}`);
  };
  await fc.assert(fc.asyncProperty(requestsOf(subject), keepsItsPromise), { seed: SEED, numRuns: REQUESTS });
});
