import { at, type Problems } from '../build-checks/problems.js';
import { isObject, listOr, objectOr, own, textOf, type JsonObject } from '../openapi-document/node.js';
import type { Operation } from '../openapi-document/operations.js';
import type { ServerVariables } from './server-variables.js';

/** Answers an operation's base URL (absolute, without a slash at its end); undefined after noting why there is none. */
export type BaseUrls = (operation: Operation) => string | undefined;

/** How to find base URLs: the release source's own, else those of operation, path and document, in this order. */
export function readBaseUrls(
  problems: Problems,
  root: JsonObject,
  baseUrl: string | undefined,
  variables: ServerVariables,
): BaseUrls {
  if (baseUrl !== undefined) {
    const checked = checkedUrl(problems, '/baseUrl', baseUrl);
    return () => checked;
  }
  const known = new Map<string, string | undefined>();
  const read = (holder: JsonObject, pointer: string): string | undefined => {
    if (!known.has(pointer))
      known.set(pointer, firstServer(problems, at(pointer, 'servers'), own(holder, 'servers'), variables));
    return known.get(pointer);
  };
  return ({ node, pointer, shared }) => {
    if (hasServers(node)) return read(node, pointer);
    return hasServers(shared.value) ? read(shared.value, shared.pointer) : read(root, '');
  };
}

function hasServers(holder: JsonObject): boolean {
  return listOr(own(holder, 'servers')).length > 0;
}

function firstServer(
  problems: Problems,
  pointer: string,
  servers: unknown,
  variables: ServerVariables,
): string | undefined {
  const [server] = listOr(servers);
  if (server === undefined) {
    problems.add(pointer, 'The document names no server. Give "baseUrl", like https://api.example.com.');
    return undefined;
  }
  const place = at(pointer, 0, 'url');
  const template = isObject(server) ? textOf(own(server, 'url')) : undefined;
  if (template === undefined || !isObject(server)) {
    problems.add(place, 'A server needs a "url" that is text.');
    return undefined;
  }
  const url = variables.fill(at(pointer, 0, 'variables'), template, objectOr(own(server, 'variables')));
  return url === undefined ? undefined : checkedUrl(problems, place, url);
}

function checkedUrl(problems: Problems, pointer: string, text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const shown = JSON.stringify(text.slice(0, 200));
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    problems.add(
      pointer,
      `${shown} is not an absolute http or https URL. Give "baseUrl", like https://api.example.com.`,
    );
  } else if (url.username !== '' || url.password !== '') {
    problems.add(pointer, 'A server URL must not hold credentials. Name a secret in "credentials" instead.');
  } else if (/[?#{}]|%7b|%7d/i.test(url.href)) {
    problems.add(pointer, `${shown} must be a plain base URL, without query, fragment or braces.`);
  } else {
    return url.href.replace(/\/+$/, '');
  }
  return undefined;
}
