import type { IncomingMessage, ServerResponse } from 'node:http';
import { languageOf, sendPage, type Language, type Page } from '#libs/pages';
import { refuseCredentialsIn } from '../edge/credential.js';
import { errorOf } from '../edge/error-of.js';
import type { TenantUrl } from '../edge/tenant-url.js';
import { requireActive, type RouteTable } from '../routing/route-table.js';
import { connectPage, nothingHere, refusalPage } from './connect-page.js';

/** Answers a person's browser at a URL of ours; the page says nothing about a tenant but its name. */
export async function answerVisit(
  request: IncomingMessage,
  response: ServerResponse,
  routes: RouteTable,
  target: TenantUrl | undefined,
  query: URLSearchParams,
): Promise<void> {
  // What the URL answers differs by what is accepted, and a cache must not mix them up.
  response.setHeader('vary', 'Accept, Accept-Language, Origin');
  sendPage(response, await pageFor(routes, target, query, languageOf(request.headers['accept-language'])));
}

async function pageFor(
  routes: RouteTable,
  target: TenantUrl | undefined,
  query: URLSearchParams,
  language: Language,
): Promise<Page> {
  if (target === undefined) return nothingHere(language);
  try {
    refuseCredentialsIn(query);
    const tenant = await routes.getTenantAt(target);
    requireActive(tenant);
    return connectPage(target, tenant.name, language);
  } catch (thrown) {
    const error = errorOf(thrown);
    if (error.code === 'internal') throw thrown;
    return error.code === 'not_found' ? nothingHere(language) : refusalPage(error.status, error.message, language);
  }
}
