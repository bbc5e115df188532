import jmespath, { type JmesNode } from 'jmespath';

/** A JMESPath expression that cannot be used, or an answer that it cannot shape; the message says why. */
export class ShapeFault extends Error {
  override readonly name = 'ShapeFault';
}

/** How many values an expression may make of one. */
const GROWTH_MAX = 64;
/** Values of an answer times the steps for each. */
const STEPS_MAX = 4_000_000;
const SHAPED_BYTES_MAX = 1024 * 1024;
/** These make long texts of many values, or go through texts character by character. */
const REFUSED_FUNCTIONS = new Set(['join', 'reverse', 'to_string']);

/**
 * A JMESPath expression that takes what agents need out of an answer. Its evaluation is bounded before it begins: by how
 * many values the expression can make of one, and by the size of the answer.
 */
export class ResultShape {
  readonly #expression: string;
  readonly #steps: number;

  /** @throws ShapeFault when this is no JMESPath, or could make too much of an answer */
  constructor(expression: string) {
    this.#expression = expression;
    const { growth, steps } = costOf(parse(expression));
    this.#steps = steps;
    if (growth > GROWTH_MAX)
      throw new ShapeFault(
        `This could make ${growth} values of one; at most ${GROWTH_MAX} may be. Select fewer fields, or nest less.`,
      );
  }

  /** The JSON text that the expression makes of a JSON text. @throws ShapeFault what is wrong with the answer */
  apply(text: string): string {
    const value = parseJson(text);
    const valuesMax = Math.floor(STEPS_MAX / this.#steps);
    if (!hasAtMost(value, valuesMax))
      throw new ShapeFault(
        `it has more than the ${valuesMax} values that its shape can look at; ask for a smaller page`,
      );
    try {
      const shaped = jmespath.search(value, this.#expression);
      if (sizeOf(shaped) > SHAPED_BYTES_MAX)
        throw new ShapeFault(`what its shape selects is larger than ${SHAPED_BYTES_MAX} bytes; ask for a smaller page`);
      return JSON.stringify(shaped) ?? 'null';
    } catch (error) {
      if (error instanceof ShapeFault) throw error;
      throw new ShapeFault(`it cannot be shaped: ${messageOf(error)}`);
    }
  }
}

/** What is wrong with an expression, if anything is. */
export function findShapeFault(expression: string): string | undefined {
  try {
    return void new ResultShape(expression);
  } catch (error) {
    if (error instanceof ShapeFault) return error.message;
    throw error;
  }
}

function parse(expression: string): JmesNode {
  try {
    return jmespath.compile(expression);
  } catch (error) {
    throw new ShapeFault(`This is not JMESPath: ${messageOf(error)}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ShapeFault('it is not JSON');
  }
}

/** Most values that a node makes of one, and most steps that it takes for each. */
interface Cost {
  readonly growth: number;
  readonly steps: number;
}

/** What selects side by side adds up, what follows one another multiplies. @throws ShapeFault for a refused function */
function costOf({ type, name, value, children = [] }: JmesNode): Cost {
  if (type === 'Function' && REFUSED_FUNCTIONS.has(String(name)))
    throw new ShapeFault(`The function ${String(name)} cannot be used here.`);
  if (type === 'Literal') return { growth: valuesIn(value), steps: 1 };
  const costs = children.filter(isNode).map((child) => costOf(nested(child)));
  if (type === 'MultiSelectList' || type === 'MultiSelectHash')
    return costs.reduce((sum, cost) => ({ growth: sum.growth + cost.growth, steps: sum.steps + cost.steps }), {
      growth: 1,
      steps: 1,
    });
  const first = { growth: type === 'Function' ? Math.max(1, children.length) : 1, steps: 1 };
  return costs.reduce(
    (all, cost) => ({ growth: all.growth * cost.growth, steps: all.steps + all.growth * cost.steps }),
    first,
  );
}

/** Whether a JSON value holds no more values than this. */
function hasAtMost(root: unknown, valuesMax: number): boolean {
  const open: unknown[] = [root];
  let values = 1;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const items: unknown[] = Object.values(next);
    values += items.length;
    if (values > valuesMax) return false;
    for (const item of items) if (typeof item === 'object' && item !== null) open.push(item);
  }
  return true;
}

/** The expression of a pair in a multi-select hash, or the node itself. */
function nested(child: JmesNode): JmesNode {
  return child.type === 'KeyValuePair' && isNode(child.value) ? child.value : child;
}

function isNode(value: unknown): value is JmesNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + valuesIn(item), 1);
}

/** About how many bytes a value is as JSON; stops counting past the limit, for values can be in it many times. */
function sizeOf(root: unknown): number {
  const open: unknown[] = [root];
  let size = 0;
  while (open.length > 0 && size <= SHAPED_BYTES_MAX) {
    const value = open.pop();
    size += typeof value === 'string' ? value.length + 3 : 2;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      size += Array.isArray(value) ? 1 : key.length + 4;
      open.push(item);
      if (size > SHAPED_BYTES_MAX) break;
    }
  }
  return size;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'it fails';
}
