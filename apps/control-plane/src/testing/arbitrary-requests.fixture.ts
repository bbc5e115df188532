import * as fc from 'fast-check';
import type { OpenApiDocument } from '../openapi-document/build-document.js';
import type { Operation } from '../openapi-document/operation.js';
import type { Sent } from './control-plane.fixture.js';
import type { Example } from './example.fixture.js';
import { anyText, damaged, valuesOf } from './arbitrary-values.fixture.js';

/** A request that was made up; `path` begins with a slash. */
export interface MadeRequest extends Sent {
  readonly path: string;
}

/** One operation of the document, with good requests of it to vary. */
export interface Subject {
  readonly method: string;
  readonly pattern: string;
  readonly operation: Operation;
  readonly examples: readonly Example[];
  /** Credentials to try, the right ones first. */
  readonly keys: readonly [string, ...string[]];
  readonly document: OpenApiDocument;
}

type Named = ReadonlyArray<readonly [string, string]>;

const RARELY = 1;
const OFTEN = 6;
/** Node refuses more than 16 KiB of headers by itself, the request line among them, before a route hears of it. */
const PATH_MAX = 12_000;

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** The values that an example's path has where the pattern has places. */
function placesOf(pattern: string, path: string): Map<string, string> {
  const parts = (path.split('?')[0] ?? '').split('/');
  return new Map(
    pattern.split('/').flatMap((part, at) => (part.startsWith('{') ? [[part.slice(1, -1), parts[at] ?? '']] : [])),
  );
}

function pathsOf({ pattern, operation, examples, document }: Subject): fc.Arbitrary<string> {
  const places = operation.parameters.filter((parameter) => parameter.in === 'path');
  const known = fc.constantFrom(...examples.map((example) => placesOf(pattern, example.path)));
  const values = places.map(({ name, schema }) => {
    const fitting = valuesOf(schema, document.components.schemas).map((value) => encoded(String(value)));
    return fc.oneof(
      { weight: OFTEN, arbitrary: known.map((place) => place.get(name) ?? '') },
      { weight: RARELY, arbitrary: fitting },
      { weight: RARELY, arbitrary: anyText.filter((text) => !/^\.{0,2}$/.test(text)).map(encoded) },
    );
  });
  const mixed = fc.tuple(...values).map((given) => new Map(places.map(({ name }, at) => [name, given[at] ?? ''])));
  return fc
    .oneof({ weight: OFTEN, arbitrary: known }, { weight: OFTEN, arbitrary: mixed })
    .map((given) => pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => given.get(name) ?? ''));
}

function queriesOf({ operation, document, examples }: Subject): fc.Arbitrary<string> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  const pairs = parameters.map(({ name, schema }): fc.Arbitrary<Named> => {
    const fitting = valuesOf(schema, document.components.schemas).map(String);
    return fc.oneof(
      { weight: OFTEN, arbitrary: fitting.map((value): Named => [[name, value]]) },
      { weight: OFTEN, arbitrary: fc.constant<Named>([]) },
      { weight: RARELY, arbitrary: anyText.map((value): Named => [[name, value]]) },
      {
        weight: RARELY,
        arbitrary: anyText.map((value): Named => [
          [name, value],
          [name, value],
        ]),
      },
      { weight: RARELY, arbitrary: anyText.map((value): Named => [[`${name}[a]`, value]]) },
    );
  });
  const strange = fc.oneof(
    { weight: OFTEN * 2, arbitrary: fc.constant<Named>([]) },
    { weight: RARELY, arbitrary: fc.tuple(anyText, anyText).map((pair): Named => [pair]) },
  );
  const made = fc.tuple(strange, ...pairs).map((given) =>
    given
      .flat()
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .join('&'),
  );
  return fc.oneof(fc.constantFrom(...examples.map(({ path }) => path.split('?')[1] ?? '')), made);
}

function bodiesOf({ method, operation, document, examples }: Subject): fc.Arbitrary<Sent> {
  if (method === 'GET') return fc.constant({});
  const content = Object.entries(operation.requestBody?.content ?? {});
  const good = fc.constantFrom(
    ...examples.map(({ body, headers }): Sent => ({ body, ...(headers === undefined ? {} : { headers }) })),
  );
  const strange = fc
    .tuple(anyText, fc.constantFrom('application/json', 'text/plain', 'application/json; charset=utf-16', 'a/b'))
    .map(([body, type]): Sent => ({ body, headers: { 'content-type': type } }));
  // A body where there should be none, and none where there should be one, are requests too.
  if (content.length === 0) return fc.oneof({ weight: OFTEN, arbitrary: fc.constant({}) }, strange);
  const json = valuesOf(content[0]?.[1].schema ?? {}, document.components.schemas);
  const asJson = (body: unknown): Sent => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return fc.oneof(
    { weight: 2, arbitrary: good },
    { weight: OFTEN, arbitrary: json.map(asJson) },
    { weight: OFTEN, arbitrary: json.chain(damaged).map(asJson) },
    { weight: OFTEN, arbitrary: good.chain(({ body }) => damaged(body)).map(asJson) },
    { weight: RARELY, arbitrary: strange },
    { weight: RARELY, arbitrary: fc.constant({}) },
  );
}

function headersOf({ operation, document }: Subject): fc.Arbitrary<Readonly<Record<string, string>>> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'header');
  const given = parameters.map(({ name, schema }) =>
    fc.option(
      fc.oneof(
        valuesOf(schema, document.components.schemas).map((value): [string, string] => [name, String(value)]),
        fc
          .constantFrom('', 'same', 'x'.repeat(300), '"quoted"', 'two words')
          .map((value): [string, string] => [name, value]),
      ),
      { nil: undefined },
    ),
  );
  return fc.tuple(...given).map((pairs) => Object.fromEntries(pairs.filter((pair) => pair !== undefined)));
}

/** Requests to one operation, good ones and bad ones of every kind. */
export function requestsOf(subject: Subject): fc.Arbitrary<MadeRequest> {
  const [right, ...wrong] = subject.keys;
  const keys = fc.oneof(
    { weight: OFTEN * 2, arbitrary: fc.constant(right) },
    { weight: RARELY, arbitrary: fc.constantFrom(...wrong) },
  );
  return fc
    .record({
      path: pathsOf(subject),
      query: queriesOf(subject),
      sent: bodiesOf(subject),
      headers: headersOf(subject),
      key: keys,
    })
    .map(({ path, query, sent, headers, key }) => ({
      path: query === '' ? path : `${path}?${query}`,
      ...sent,
      headers: { ...headers, ...sent.headers },
      ...(key === '' ? {} : { key }),
    }))
    .filter(({ path }) => path.length <= PATH_MAX);
}
