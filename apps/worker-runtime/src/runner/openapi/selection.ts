import { at, type Problems } from '../build-checks/problems.js';
import { didYouMean } from '../checks/closest.js';
import type { OpenApiSource } from '../openapi-document/document.js';
import type { Operation } from '../openapi-document/operations.js';

const TOOLS_MAX = 2_000;

/**
 * The operations that a release is made of. Where several kinds of selectors are given, an operation must match one of
 * each kind. Selectors that match nothing, an empty selection and one that is too large are noted.
 */
export function selectOperations(
  problems: Problems,
  operations: readonly Operation[],
  select: OpenApiSource['select'],
): readonly Operation[] {
  const { tags, paths, operationIds } = select ?? {};
  refuseUnmatched(problems, '/select/tags', tags, new Set(operations.flatMap((operation) => operation.tags)));
  refuseUnmatched(
    problems,
    '/select/operationIds',
    operationIds,
    new Set(operations.flatMap(({ operationId }) => operationId ?? [])),
  );
  paths?.forEach((pattern, index) => {
    if (operations.some((operation) => matchesPath(pattern, operation.path))) return;
    const names = new Set(operations.map((operation) => operation.path));
    problems.add(
      at('/select/paths', index),
      `No path matches ${JSON.stringify(pattern)}.${didYouMean(pattern, names)}`,
    );
  });
  const selected = operations.filter(
    (operation) =>
      (tags === undefined || operation.tags.some((tag) => tags.includes(tag))) &&
      (paths === undefined || paths.some((pattern) => matchesPath(pattern, operation.path))) &&
      (operationIds === undefined ||
        (operation.operationId !== undefined && operationIds.includes(operation.operationId))),
  );
  refuseCount(problems, selected.length, operations.length);
  return selected;
}

/** Whether a path is below a prefix, or is what a glob describes, where `*` stands for any characters. */
export function matchesPath(pattern: string, path: string): boolean {
  if (!pattern.includes('*'))
    return path === pattern || path.startsWith(pattern.endsWith('/') ? pattern : `${pattern}/`);
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop() ?? '';
  if (!path.startsWith(head)) return false;
  let position = head.length;
  for (const piece of pieces) {
    const found = path.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return path.length - tail.length >= position && path.endsWith(tail);
}

function refuseUnmatched(
  problems: Problems,
  pointer: string,
  wanted: readonly string[] | undefined,
  known: ReadonlySet<string>,
): void {
  wanted?.forEach((name, index) => {
    if (!known.has(name))
      problems.add(at(pointer, index), `No operation has ${JSON.stringify(name)}.${didYouMean(name, known)}`);
  });
}

function refuseCount(problems: Problems, selected: number, all: number): void {
  if (selected > TOOLS_MAX) {
    problems.add(
      '/select',
      `${selected} operations would become tools; at most ${TOOLS_MAX} may. Select some by tags, paths or operationIds.`,
    );
  } else if (selected === 0 && !problems.any) {
    const message = all === 0 ? 'The document has no operations.' : `No operation of ${all} matches the selection.`;
    problems.add(all === 0 ? '/paths' : '/select', message);
  }
}
