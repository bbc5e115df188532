import type { CallToolResult } from '@modelcontextprotocol/server';
import { AppError, toAppError } from '#libs/errors';
import { documentAt, documentUri, DOCUMENTS_FOUND_MAX, type DocumentEntry, type KnowledgeTool } from '#libs/protocol';
import { errorResult } from '../results/results.js';
import { didYouMean } from '../checks/closest.js';
import type { Asker, KnowledgeDoor } from './knowledge-door.js';
import { shownCollections, shows, type MountedKnowledge } from './mounted-knowledge.js';
import { oneLine } from './one-line.js';
import { resourceOf } from './resources.js';

/** A call of a knowledge tool, whose arguments are what its schema says. */
export interface KnowledgeCall {
  readonly mounted: MountedKnowledge;
  readonly does: KnowledgeTool;
  readonly given: Given;
  readonly asker: Asker;
}

/** The arguments of all tools together; each tool's schema says which it has. */
export interface Given {
  readonly query?: string;
  readonly uri?: string;
  readonly title?: string;
  readonly text?: string;
  readonly collection?: string;
  readonly name?: string;
  readonly tags?: string[];
  readonly limit?: number;
  readonly version?: number;
}

const LIMIT = 8;
const COLLECTION = 'notes';

/** Runs a tool; what an agent can act on is an `isError` result. */
export async function runKnowledgeTool(door: KnowledgeDoor, call: KnowledgeCall): Promise<CallToolResult> {
  try {
    return await run(door, call);
  } catch (error) {
    const failure = toAppError(error);
    if (failure.code === 'internal') throw failure;
    return errorResult(sentenceOf(failure));
  }
}

function run(door: KnowledgeDoor, call: KnowledgeCall): Promise<CallToolResult> {
  switch (call.does) {
    case 'search':
      return search(door, call);
    case 'read':
      return read(door, call);
    case 'remember':
      return remember(door, call);
    case 'update':
      return update(door, call);
    case 'forget':
      return forget(door, call);
  }
}

async function search(door: KnowledgeDoor, { mounted, given, asker }: KnowledgeCall): Promise<CallToolResult> {
  const { query = '', collection, tags, limit = LIMIT } = given;
  const collections = collection === undefined ? shownCollections(mounted.settings) : { collections: [collection] };
  if (collection !== undefined) requireShown(mounted, collection);
  const { found } = await door.ask<'search'>(asker, {
    ask: 'search',
    query: oneLine(query),
    limit: Math.min(limit, DOCUMENTS_FOUND_MAX),
    ...collections,
    ...(tags === undefined ? {} : { tags }),
  });
  const results = found.map((document) => ({
    ...shown(mounted, document),
    snippet: document.snippet,
    score: Math.round(document.score * 10_000) / 10_000,
  }));
  const text =
    results.length === 0
      ? 'No document matches. Try fewer or other words, or leave out the collection and the tags.'
      : results.map(({ title, uri, snippet }, index) => `${index + 1}. ${title}\n${uri}\n${snippet}`).join('\n\n');
  const links = found.map((document) => ({ type: 'resource_link' as const, ...resourceOf(mounted, document) }));
  return { content: [{ type: 'text', text }, ...links], structuredContent: { results } };
}

async function read(door: KnowledgeDoor, { mounted, given, asker }: KnowledgeCall): Promise<CallToolResult> {
  const place = placeOf(mounted, given);
  if ('isError' in place) return place;
  const { document } = await door.ask<'read'>(asker, { ask: 'read', ...place });
  const { title, uri, version, updated_at: at, tags } = shown(mounted, document);
  const about = [`${title} (${uri})`, `version ${version} of ${at}`, ...(tags.length > 0 ? [tags.join(', ')] : [])];
  return {
    content: [
      { type: 'text', text: about.join('; ') },
      { type: 'text', text: document.text },
    ],
  };
}

async function remember(door: KnowledgeDoor, { mounted, given, asker }: KnowledgeCall): Promise<CallToolResult> {
  const { title = '', text = '', name, tags = [] } = given;
  const { settings } = mounted;
  const collection = given.collection ?? settings.collections?.[0]?.name ?? COLLECTION;
  requireShown(mounted, collection);
  const words = { collection, title, text, tags, language: settings.language, ...(name === undefined ? {} : { name }) };
  const { document } = await door.ask<'save'>(asker, { ask: 'save', ...words });
  return saved(mounted, document, 'Remembered');
}

async function update(door: KnowledgeDoor, { mounted, given, asker }: KnowledgeCall): Promise<CallToolResult> {
  const place = placeOf(mounted, given);
  if ('isError' in place) return place;
  const { title, text, tags, version } = given;
  const changes = {
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { text }),
    ...(tags === undefined ? {} : { tags }),
    ...(version === undefined ? {} : { version }),
  };
  const { document } = await door.ask<'change'>(asker, { ask: 'change', ...place, ...changes });
  return saved(mounted, document, 'Updated');
}

async function forget(door: KnowledgeDoor, { mounted, given, asker }: KnowledgeCall): Promise<CallToolResult> {
  const place = placeOf(mounted, given);
  if ('isError' in place) return place;
  const version = given.version === undefined ? {} : { version: given.version };
  await door.ask<'forget'>(asker, { ask: 'forget', ...place, ...version });
  const uri = documentUri(mounted.serverSlug, place);
  return { content: [{ type: 'text', text: `Forgotten: ${uri}` }], structuredContent: { uri } };
}

function saved(mounted: MountedKnowledge, document: DocumentEntry, done: string): CallToolResult {
  const { uri, version } = shown(mounted, document);
  const text = `${done}: ${uri} (version ${version})`;
  const link = { type: 'resource_link' as const, ...resourceOf(mounted, document) };
  return { content: [{ type: 'text', text }, link], structuredContent: { uri, version } };
}

function shown({ serverSlug }: MountedKnowledge, document: DocumentEntry) {
  const { title, collection, tags, version, updated_at, author } = document;
  return { uri: documentUri(serverSlug, document), title, collection, tags, version, updated_at, author };
}

function placeOf(mounted: MountedKnowledge, { uri = '' }: Given) {
  const place = documentAt(mounted.serverSlug, uri);
  if (place !== undefined && shows(mounted.settings, place.collection)) return place;
  const form = `knowledge://${mounted.serverSlug}/{collection}/{name}`;
  const text = `${JSON.stringify(uri.slice(0, 300))} is no document here. Take the uri of a search result: ${form}`;
  return { ...errorResult(text), isError: true as const };
}

/** @throws AppError `not_found` */
function requireShown({ settings }: MountedKnowledge, collection: string): void {
  if (shows(settings, collection)) return;
  const names = settings.collections?.map(({ name }) => name) ?? [];
  throw new AppError('not_found', {
    message: `There is no collection ${JSON.stringify(collection)} here.${didYouMean(collection, names)} There are: ${names.join(', ')}.`,
  });
}

function sentenceOf({ message, problems }: AppError): string {
  const places = problems.map((problem) => `${problem.pointer}: ${problem.message}`);
  return [message, ...places.filter((place) => !message.includes(place.slice(place.indexOf(': ') + 2)))].join('\n');
}
