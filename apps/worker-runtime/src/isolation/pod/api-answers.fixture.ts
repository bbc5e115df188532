import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { PROJECT_ROOT } from '../project-root.js';

/** An answer that an API server has given, as it was recorded. */
export interface RecordedAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of an answer that is no success. */
export function statusObject(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

/** Answers of a real API server (v1.33) to what did not go well. */
export const RECORDED = {
  conflict: {
    status: 409,
    body: statusObject(409, 'AlreadyExists', 'pods "wharf-worker-0" already exists'),
  },
  quota: {
    status: 403,
    body: statusObject(
      403,
      'Forbidden',
      'pods "wharf-worker-0" is forbidden: exceeded quota: workers, requested: pods=1, used: pods=20, limited: pods=20',
    ),
  },
  overloaded: {
    status: 429,
    headers: { 'retry-after': '1' },
    body: statusObject(429, 'TooManyRequests', 'Too many requests, please try again later.'),
  },
  gone: { status: 410, body: statusObject(410, 'Expired', 'too old resource version: 1 (7)') },
} as const satisfies Record<string, RecordedAnswer>;

interface Rule {
  readonly verbs: string[];
  readonly resources: string[];
}

/** `verb resource` of every right that the role gives. */
export function rulesOfTheRole(): Set<string> {
  const documents = parseAllDocuments(readFileSync(path.join(PROJECT_ROOT, 'k8s/base/workers/workers.yaml'), 'utf8'));
  const role = documents
    .map((document) => document.toJS() as { kind: string; rules?: Rule[] })
    .find(({ kind }) => kind === 'Role');
  const rights = (role?.rules ?? []).flatMap(({ verbs, resources }) =>
    verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource}`)),
  );
  return new Set(rights);
}

/** What a request wants to do, in the words of a role. */
export function verbOf(method: string, name: string | undefined): string {
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  return { POST: 'create', PUT: 'update', DELETE: 'delete' }[method] ?? method;
}
