import { at, type Problems } from './problems.js';

/** How large a value may be. */
export interface Bounds {
  readonly depthMax: number;
  readonly nodesMax: number;
}

interface Link {
  readonly value: object;
  readonly depth: number;
  readonly token: string;
  readonly parent: Link | undefined;
}

/**
 * Notes a problem when a value is too deep, too large, refers to itself or has a property named `__proto__`; everything
 * that walks the value afterwards relies on it. Walks without recursion.
 */
export function refuseOutOfBounds(
  problems: Problems,
  pointer: string,
  value: unknown,
  { depthMax, nodesMax }: Bounds,
): boolean {
  const refuse = (place: string, message: string): false => {
    problems.add(place, message);
    return false;
  };
  const open: Link[] = isNode(value) ? [{ value, depth: 0, token: '', parent: undefined }] : [];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const names = Object.keys(next.value);
    nodes += names.length;
    if (next.depth >= depthMax) {
      return refuse(
        pointerOf(pointer, next).slice(0, 200),
        `This is nested deeper than ${depthMax} levels. Make it flatter.`,
      );
    }
    if (nodes > nodesMax) return refuse(pointer, `This holds more than ${nodesMax} values. Make it smaller.`);
    for (const token of names) {
      if (token === '__proto__') {
        return refuse(at(pointerOf(pointer, next), token), 'A property must not be named __proto__. Rename it.');
      }
      const child: unknown = Reflect.get(next.value, token);
      if (isNode(child)) open.push({ value: child, depth: next.depth + 1, token, parent: next });
    }
  }
  return true;
}

function isNode(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function pointerOf(root: string, link: Link): string {
  const tokens: string[] = [];
  for (let current = link; current.parent !== undefined; current = current.parent) tokens.push(current.token);
  return at(root, ...tokens.reverse());
}
