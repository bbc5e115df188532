declare module 'jmespath' {
  /** A node of a parsed expression, as far as it is looked at. */
  export interface JmesNode {
    readonly type: string;
    readonly name?: unknown;
    readonly value?: unknown;
    readonly children?: readonly unknown[];
  }
  const jmespath: {
    /** @throws Error where the expression is none */
    compile(expression: string): JmesNode;
    /** @throws Error where a function is given what it cannot take */
    search(value: unknown, expression: string): unknown;
  };
  export default jmespath;
}
