/** What a rule asks about is not known: of calls of the past, not everything is recorded. */
export class UnknownFact extends Error {
  override readonly name = 'UnknownFact';
}

const unknown = new WeakSet<object>();

/** A map of which nothing is known: a rule that asks about it fails with `UnknownFact`, unless its answer is known without. */
export function unknownMap(what: string): object {
  const refuse = (): never => {
    throw new UnknownFact(what);
  };
  const map = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse });
  unknown.add(map);
  return map;
}

/** Whether nothing is known of a value. */
export function isUnknown(value: unknown): boolean {
  return typeof value === 'object' && value !== null && unknown.has(value);
}
