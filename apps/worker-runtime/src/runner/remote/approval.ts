import { ProtocolError, type Result } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import { definitionHash, type Listed } from '../upstream/definitions.js';
import type { MountedUpstream } from '../upstream-sessions/mounted-upstream.js';
import type { Drifted } from '../upstream/pinned-session.js';

const PINNED = { 'tools/call': 'tools', 'prompts/get': 'prompts' } as const;

/** Refuses a tool or prompt that is not what was approved any more. @throws ProtocolError */
export function definitionRefusal(
  { upstream, serverSlug }: MountedUpstream,
  drifted: Drifted,
  { method, params }: { readonly method: string; readonly params: Readonly<Record<string, unknown>> },
): void {
  if (method !== 'tools/call' && method !== 'prompts/get') return;
  const kind = PINNED[method];
  const name = String(params['name']);
  const named = `The ${kind === 'tools' ? 'tool' : 'prompt'} ${JSON.stringify(name)} of the upstream ${JSON.stringify(upstream.name)}`;
  const { changed, removed } = drifted[kind];
  const refuse = (message: string, why: string): never => {
    throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message, { reason: why, upstream: upstream.name });
  };
  const then = `Nothing was sent. The owner of this server must look at the change (wharf drift list ${serverSlug}) and approve it.`;
  if (changed.includes(name))
    refuse(`${named} is not called: its definition has changed since it was approved. ${then}`, 'definition_changed');
  if (removed.includes(name))
    refuse(`${named} is not called: the upstream does not list it any more. ${then}`, 'definition_removed');
  if (!Object.hasOwn(upstream.pins[kind], name))
    refuse(`${named} is not part of this release. ${then}`, 'definition_unknown');
}

/** A page of prompts with those alone that are as they were approved. */
export function approvedPrompts({ upstream }: MountedUpstream, page: Result): Result {
  const listed: unknown = page['prompts'];
  if (!Array.isArray(listed)) return page;
  const { prompts: pins } = upstream.pins;
  const isApproved = (prompt: Listed): boolean => {
    const name = String(prompt['name']);
    return Object.hasOwn(pins, name) && pins[name] === definitionHash('prompts', prompt);
  };
  return { ...page, prompts: listed.filter(isApproved) };
}
