import type { Credential } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import type { ReportNotes } from '../build-checks/report.js';
import { didYouMean } from '../checks/closest.js';
import { isObject, listOr, objectOr, own, textOf, type JsonObject } from '../openapi-document/node.js';
import type { Operation } from '../openapi-document/operations.js';
import type { References } from '../openapi-document/references.js';

/** A credential of the release before the origins of its tools are known. */
export type CredentialDraft = Omit<Credential, 'origins'> & {
  /** Set where each caller's own login takes the place of a secret. */
  readonly connector?: string;
};

const SECRET_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const PLACE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
/** What a document without any security scheme may be given, because many documents leave their schemes out. */
const UNDECLARED: Readonly<Record<string, JsonObject>> = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: { type: 'http', scheme: 'basic' },
};

/** Which credentials the operations of a document are called with. */
export class Security {
  readonly #credentials = new Map<string, CredentialDraft>();
  readonly #documentWide: unknown;
  /** Whether the document says nowhere what needs credentials; then every tool gets those that are given. */
  readonly #isUnspecified: boolean;
  readonly #unmet = new Map<string, number>();

  constructor(root: JsonObject, operations: readonly Operation[]) {
    this.#documentWide = own(root, 'security');
    this.#isUnspecified =
      this.#documentWide === undefined && operations.every(({ node }) => own(node, 'security') === undefined);
  }

  /** Takes the secrets that the release source names for schemes; what does not fit is noted. */
  assign(
    problems: Problems,
    root: JsonObject,
    references: References,
    secrets: Readonly<Record<string, string>>,
  ): this {
    const declared = objectOr(own(objectOr(own(root, 'components')), 'securitySchemes'));
    const schemes = Object.keys(declared).length === 0 ? UNDECLARED : declared;
    for (const [scheme, secret] of Object.entries(secrets)) {
      const pointer = at('/credentials', scheme);
      const found = references.follow({
        value: own(schemes, scheme),
        pointer: at('/components/securitySchemes', scheme),
      });
      if (!SECRET_NAME.test(secret))
        problems.add(pointer, 'A secret is named with lower-case letters, digits, "_" and "-".');
      else if (found === undefined)
        problems.add(
          pointer,
          `The document has no security scheme ${JSON.stringify(scheme)}.${didYouMean(scheme, Object.keys(schemes))}`,
        );
      else this.#add(problems, pointer, { scheme, secret, node: found.value });
    }
    return this;
  }

  /** Takes the connectors that the release source names for schemes; what does not fit is noted. */
  connect(
    problems: Problems,
    root: JsonObject,
    references: References,
    connectors: Readonly<Record<string, string>>,
  ): this {
    const declared = objectOr(own(objectOr(own(root, 'components')), 'securitySchemes'));
    const schemes = Object.keys(declared).length === 0 ? UNDECLARED : declared;
    for (const [scheme, connector] of Object.entries(connectors)) {
      const pointer = at('/connections', scheme);
      const found = references.follow({
        value: own(schemes, scheme),
        pointer: at('/components/securitySchemes', scheme),
      });
      const placed = found === undefined ? undefined : placeOf(found.value);
      if (found === undefined)
        problems.add(
          pointer,
          `The document has no security scheme ${JSON.stringify(scheme)}.${didYouMean(scheme, Object.keys(schemes))}`,
        );
      else if (typeof placed !== 'object' || placed.prefix !== 'Bearer ')
        problems.add(pointer, 'A login gives bearer tokens, which this scheme does not take. Name a secret instead.');
      else this.#add(problems, pointer, { scheme, secret: '', connector, node: found.value });
    }
    return this;
  }

  /** Every credential that a secret or a connector is named for. */
  get drafts(): readonly CredentialDraft[] {
    return [...this.#credentials.values()];
  }

  /** The credentials an operation is called with: those of the first alternative that all have a secret. */
  credentialsOf({ node }: Operation): readonly CredentialDraft[] {
    if (this.#isUnspecified) return [...this.#credentials.values()];
    const alternatives = listOr(own(node, 'security') ?? this.#documentWide)
      .filter(isObject)
      .map((one) => Object.keys(one));
    const met = alternatives.filter((names) => names.every((name) => this.#credentials.has(name)));
    const chosen = met.find((names) => names.length > 0) ?? met[0];
    if (chosen === undefined)
      for (const name of alternatives[0] ?? []) this.#unmet.set(name, (this.#unmet.get(name) ?? 0) + 1);
    return (chosen ?? []).flatMap((name) => this.#credentials.get(name) ?? []);
  }

  /** Notes the schemes that tools need and that no secret is named for. */
  noteUnmet(notes: ReportNotes): void {
    for (const [scheme, count] of this.#unmet) {
      notes.skip(
        at('/components/securitySchemes', scheme),
        '',
        `No secret is named for it: ${count} tools call without these credentials. Name one in "credentials".`,
      );
    }
  }

  #add(
    problems: Problems,
    pointer: string,
    { scheme, secret, connector, node }: { scheme: string; secret: string; connector?: string; node: JsonObject },
  ): void {
    const placed = placeOf(node);
    const id = scheme.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
    if (typeof placed === 'string') problems.add(pointer, placed);
    else if ([...this.#credentials.values()].some((other) => other.id === id))
      problems.add(pointer, `Another scheme is also called ${JSON.stringify(id)}. Rename one.`);
    else this.#credentials.set(scheme, { id, secret, ...placed, ...(connector === undefined ? {} : { connector }) });
  }
}

/** Where a scheme's secret stands in a request, or why it cannot stand anywhere. */
function placeOf(scheme: JsonObject): Pick<CredentialDraft, 'in' | 'name' | 'prefix'> | string {
  const type = textOf(own(scheme, 'type'));
  const bearer = { in: 'header', name: 'Authorization', prefix: 'Bearer ' } as const;
  if (type === 'oauth2' || type === 'openIdConnect') return bearer;
  if (type === 'http') {
    const kind = textOf(own(scheme, 'scheme'))?.toLowerCase();
    if (kind === 'bearer') return bearer;
    if (kind === 'basic') return { ...bearer, prefix: 'Basic ' };
    return `The HTTP authentication scheme ${JSON.stringify(kind ?? '')} is not supported; bearer and basic are.`;
  }
  if (type !== 'apiKey') return `Security schemes of the type ${JSON.stringify(type ?? '')} are not supported.`;
  const place = own(scheme, 'in');
  const name = textOf(own(scheme, 'name')) ?? '';
  if (place !== 'header' && place !== 'query') return 'An API key can stand in a header or in the query only.';
  return PLACE_NAME.test(name)
    ? { in: place, name, prefix: '' }
    : 'The API key needs a name of letters, digits, "_", "." and "-".';
}
