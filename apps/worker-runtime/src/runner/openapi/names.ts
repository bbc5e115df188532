import { TOOL_NAME, withHash } from '#libs/protocol';
import type { ReportNotes } from '../build-checks/report.js';
import type { Operation } from '../openapi-document/operations.js';

/**
 * A tool name for every operation of a document: its operationId, or method and path, in the characters every client
 * accepts. Names that several operations would share all get a hash of method and path, so that a name depends neither
 * on the order of the document nor on what is selected.
 */
export function nameOperations(operations: readonly Operation[]): Map<Operation, string> {
  const wished = operations.map((operation) => ({ operation, name: wishedName(operation) }));
  const counts = new Map<string, number>();
  for (const { name } of wished) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = new Map<Operation, string>();
  const taken = new Set(wished.flatMap(({ name }) => (counts.get(name) === 1 && TOOL_NAME.test(name) ? [name] : [])));
  for (const { operation, name } of wished) {
    const fits = counts.get(name) === 1 && TOOL_NAME.test(name);
    names.set(operation, fits ? name : takeUnused(name, operation.label, taken));
  }
  return names;
}

/** Notes for the chosen operations which names had to change, and why. */
export function noteRenamed(
  notes: ReportNotes,
  operations: readonly Operation[],
  names: ReadonlyMap<Operation, string>,
): void {
  for (const operation of operations) {
    const name = names.get(operation) ?? '';
    const from = operation.operationId;
    if (name === from) continue;
    if (from === undefined) notes.rename(operation.label, name, 'It has no operationId.');
    else
      notes.rename(
        from,
        name,
        name === wishedName(operation)
          ? 'Some clients refuse its characters.'
          : 'It is too long, or not the only one of this name.',
      );
  }
}

function wishedName({ operationId, method, path }: Operation): string {
  return cleaned(operationId ?? '') || cleaned(`${method.toLowerCase()}${path}`) || method.toLowerCase();
}

function cleaned(text: string): string {
  return text
    .slice(0, 1_024)
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_|_$/g, '');
}

function takeUnused(name: string, identity: string, taken: Set<string>): string {
  let candidate = withHash(name, identity);
  for (let attempt = 2; taken.has(candidate); attempt++) candidate = withHash(name, `${identity} ${attempt}`);
  taken.add(candidate);
  return candidate;
}
