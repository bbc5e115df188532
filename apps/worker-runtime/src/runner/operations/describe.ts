import type { ToolDefinition } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import { shownText } from '../build-checks/text-safety.js';
import { own } from '../openapi-document/node.js';
import type { Method, Operation } from '../openapi-document/operations.js';

const DESCRIPTION_CHARACTERS_MAX = 4_000;
const TITLE_CHARACTERS_MAX = 200;

/** What agents read about an operation's tool: the document's own words, bounded. Hidden characters in them are noted as problems. */
export function describeOperation(
  problems: Problems,
  { node, label, method, pointer }: Operation,
): Pick<ToolDefinition, 'title' | 'description' | 'annotations'> {
  const summary = shownText(problems, at(pointer, 'summary'), own(node, 'summary'), TITLE_CHARACTERS_MAX);
  const description = shownText(
    problems,
    at(pointer, 'description'),
    own(node, 'description'),
    DESCRIPTION_CHARACTERS_MAX,
  );
  const deprecated = own(node, 'deprecated') === true ? 'Deprecated.' : '';
  const parts = [deprecated, description.startsWith(summary) ? '' : summary, description].filter((part) => part !== '');
  return {
    ...(summary === '' ? {} : { title: summary }),
    description: parts.join('\n\n') || label,
    annotations: { ...ANNOTATIONS[method] },
  };
}

/** What a method promises (RFC 9110, section 9.2): safe ones only read, idempotent ones may be repeated. */
const ANNOTATIONS: Readonly<Record<Method, NonNullable<ToolDefinition['annotations']>>> = {
  GET: { readOnlyHint: true },
  HEAD: { readOnlyHint: true },
  POST: { readOnlyHint: false },
  PUT: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  PATCH: { readOnlyHint: false, destructiveHint: true },
  DELETE: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
};
