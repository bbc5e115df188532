import { at, type Problems } from '../build-checks/problems.js';
import { isObject, own, type JsonObject, type Place } from './node.js';

/** Longest chain of references that lead to references. */
const CHAIN_MAX = 32;
/** Places whose content is data, where `$ref` means nothing. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value', 'x-examples']);

/** Follows references within one document; nothing outside it is ever read or fetched. */
export class References {
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** What a place stands for: itself, or where its `$ref` leads; undefined when that leads nowhere or in a circle. */
  follow(place: Place): Place<JsonObject> | undefined {
    let current = place;
    for (let steps = 0; steps < CHAIN_MAX; steps++) {
      if (!isObject(current.value)) return undefined;
      const reference = own(current.value, '$ref');
      if (typeof reference !== 'string') return { value: current.value, pointer: current.pointer };
      const target = this.find(reference);
      if (target === undefined) return undefined;
      current = target;
    }
    return undefined;
  }

  /** Where a reference leads, if it leads somewhere in this document. */
  find(reference: string): Place | undefined {
    if (reference !== '#' && !reference.startsWith('#/')) return undefined;
    let value: unknown = this.#root;
    const tokens = tokensOf(reference);
    if (tokens === undefined) return undefined;
    for (const token of tokens) {
      if (Array.isArray(value)) value = /^\d{1,9}$/.test(token) ? value[Number(token)] : undefined;
      else value = isObject(value) ? own(value, token) : undefined;
      if (value === undefined) return undefined;
    }
    return { value, pointer: at('', ...tokens) };
  }

  /** Notes every reference of the document that leads outside it, nowhere, or in a circle. */
  refuseUnresolvable(problems: Problems): void {
    const open: Link[] = [{ value: this.#root, isNames: false }];
    for (let link = open.pop(); link !== undefined; link = open.pop()) {
      if (Array.isArray(link.value)) {
        for (let index = link.value.length - 1; index >= 0; index--) {
          pushChild(open, link, String(index), link.value[index], false);
        }
      } else if (isObject(link.value)) {
        this.#refuseReference(problems, link, link.value);
        for (const [name, child] of Object.entries(link.value).reverse()) {
          if (link.isNames || !DATA.has(name)) pushChild(open, link, name, child, !link.isNames && namesChildren(name));
        }
      }
    }
  }

  #refuseReference(problems: Problems, link: Link, node: JsonObject): void {
    const reference = link.isNames ? undefined : own(node, '$ref');
    if (reference === undefined) return;
    const pointer = at(pointerOf(link), '$ref');
    const shown = JSON.stringify(reference).slice(0, 120);
    if (typeof reference !== 'string') problems.add(pointer, 'A $ref must be text.');
    else if (!reference.startsWith('#')) {
      problems.add(
        pointer,
        `${shown} leads outside the document, and nothing is fetched. Bundle it into one document.`,
      );
    } else if (this.find(reference) === undefined) problems.add(pointer, `${shown} leads nowhere in this document.`);
    else if (this.#isCircle(node)) {
      problems.add(pointer, `${shown} leads only to references that lead back to it.`);
    }
  }

  #isCircle(node: JsonObject): boolean {
    let current: unknown = node;
    for (let steps = 0; steps < CHAIN_MAX; steps++) {
      const reference: unknown = isObject(current) ? own(current, '$ref') : undefined;
      if (typeof reference !== 'string') return false;
      current = this.find(reference)?.value;
    }
    return true;
  }
}

/** A value and how it was reached; pointers are written only for those that need one. */
interface Link {
  readonly value: unknown;
  /** Whether its keys are names of the document's (properties, components), not keywords. */
  readonly isNames: boolean;
  readonly token?: string;
  readonly parent?: Link;
}

function pushChild(open: Link[], parent: Link, token: string, value: unknown, isNames: boolean): void {
  if (typeof value === 'object' && value !== null) open.push({ value, isNames, token, parent });
}

function namesChildren(keyword: string): boolean {
  return NAMED.has(keyword);
}

const NAMED = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'schemas',
  'responses',
  'parameters',
  'requestBodies',
  'headers',
  'securitySchemes',
  'links',
  'callbacks',
  'pathItems',
  'paths',
  'webhooks',
  'mapping',
  'variables',
  'scopes',
]);

function pointerOf(link: Link): string {
  const tokens: string[] = [];
  for (let current: Link | undefined = link; current?.token !== undefined; current = current.parent) {
    tokens.push(current.token);
  }
  return at('', ...tokens.reverse());
}

function tokensOf(reference: string): string[] | undefined {
  try {
    const pointer = decodeURIComponent(reference.slice(1));
    return pointer === ''
      ? []
      : pointer
          .slice(1)
          .split('/')
          .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return undefined; // not percent-encoded text
  }
}
