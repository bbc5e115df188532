import { at, type Problems } from './problems.js';

/** How large a value may be. */
export interface Bounds {
  readonly depthMax: number;
  readonly nodesMax: number;
}

/**
 * Notes a problem when a value is too deep, too large, refers to itself or has a property named `__proto__`; everything
 * that walks the value afterwards relies on it. Walks without recursion.
 */
export function refuseOutOfBounds(problems: Problems, pointer: string, value: unknown, { depthMax, nodesMax }: Bounds): boolean {
  const open: Array<{ readonly value: unknown; readonly depth: number; readonly pointer: string }> = [{ value, depth: 0, pointer }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= depthMax) return refused(problems, next.pointer.slice(0, 200), `This is nested deeper than ${depthMax} levels. Make it flatter.`);
    const entries = Object.entries(next.value);
    nodes += entries.length;
    if (nodes > nodesMax) return refused(problems, pointer, `This holds more than ${nodesMax} values. Make it smaller.`);
    for (const [name, child] of entries) {
      if (name === '__proto__') return refused(problems, at(next.pointer, name), 'A property must not be named __proto__. Rename it.');
      if (typeof child === 'object' && child !== null) open.push({ value: child, depth: next.depth + 1, pointer: at(next.pointer, name) });
    }
  }
  return true;
}

function refused(problems: Problems, pointer: string, message: string): false {
  problems.add(pointer, message);
  return false;
}
