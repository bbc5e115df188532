import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import { DEVICE_ROUTES } from '../device/device-flow.js';

const READ = ['GET', 'HEAD'] as const;
/** Asked by programs, also from pages of any origin, which ask first whether they may. */
const ASKED = ['OPTIONS', 'POST'] as const;

/** What the provider's endpoints can be asked with; for another method it would know no such path. */
const METHODS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['/authorize', READ],
  ['/token', ASKED],
  ['/par', ASKED],
  ['/introspect', ASKED],
  ['/revoke', ASKED],
  ['/jwks', [...READ, 'OPTIONS']],
  ['/session/end/confirm', ['POST']],
  [DEVICE_ROUTES.device_authorization, ASKED],
  [DEVICE_ROUTES.code_verification, [...READ, 'POST']],
]);
/** Where a browser comes back to, and goes on from. */
const RESUMED = /^\/(?:authorize|device)\/[A-Za-z0-9_-]+$/;
/** What each document of metadata can be asked with. */
export const METADATA_METHODS: readonly string[] = [...READ, 'OPTIONS'];

/** The methods of an endpoint of the provider; undefined for a path that is none. */
export function methodsOf(path: string): readonly string[] | undefined {
  return METHODS.get(path) ?? (RESUMED.test(path) ? READ : undefined);
}

/**
 * Refuses a method that is none of these, and says which are; true where it has answered: who asks only what there is
 * (OPTIONS that is no preflight of a browser's) is told that. @throws AppError `method_not_allowed`
 */
export function answersMethod(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[] | undefined,
): boolean {
  const { method = '', headers } = request;
  if (methods === undefined) return false;
  const asks = method === 'OPTIONS' && headers['access-control-request-method'] === undefined;
  if (methods.includes(method) && !asks) return false;
  response.setHeader('allow', methods.join(', '));
  if (!methods.includes(method)) throw new AppError('method_not_allowed');
  response.writeHead(204).end();
  return true;
}
