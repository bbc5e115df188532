import type { Problems } from '../build-checks/problems.js';
import type { OpenApiVersion } from '../openapi-document/document.js';
import type { Operation } from '../openapi-document/operations.js';
import type { References } from '../openapi-document/references.js';

/** What making a tool of one operation looks at and writes to. */
export interface OperationContext {
  readonly operation: Operation;
  readonly version: OpenApiVersion;
  readonly references: References;
  readonly problems: Problems;
  /** Notes a part of the operation that its tool leaves out. */
  readonly skip: (pointer: string, reason: string) => void;
}
