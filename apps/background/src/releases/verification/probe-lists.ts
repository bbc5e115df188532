import {
  DiscoverResultSchema,
  InitializeResultSchema,
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
} from '@modelcontextprotocol/core';
import { z } from 'zod';
import { newId } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import { JobRefused } from '../../jobs/job-handler.js';
import { askRelease, closeSession, type Question, type ReleaseSubject } from '../../release-worker/ask-release.js';

const ANSWER_MS = 15_000;
const NAMES_SHOWN = 5;
const PAGES_MAX = 50;
const PRINCIPAL = 'system|publish';

/** Lists that a server has where it says so at its discovery. */
const LISTS = [
  { needs: 'resources', method: 'resources/list', schema: ListResourcesResultSchema },
  { needs: 'resources', method: 'resources/templates/list', schema: ListResourceTemplatesResultSchema },
  { needs: 'prompts', method: 'prompts/list', schema: ListPromptsResultSchema },
] as const;

/**
 * Starts the release's worker and asks for all it offers, in both eras, against the schemas of the protocol.
 * @returns the names of its tools in the order of the answer
 * @throws JobRefused saying what is wrong, AppError where the worker could not be asked
 */
export async function probeLists(
  runtime: RuntimeClient,
  subject: ReleaseSubject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ask = (method: string, params?: Question['params']) =>
    askValid(
      runtime,
      subject,
      { method, principal: PRINCIPAL, timeoutMs: ANSWER_MS, ...(params && { params }) },
      signal,
    );
  const { capabilities } = await ask('server/discover')(DiscoverResultSchema);
  await probeHandshake(runtime, subject, signal);
  const pages = await listPages('tools/list', ask, ListToolsResultSchema);
  for (const { needs, method, schema } of LISTS) {
    if (capabilities[needs] !== undefined) await listPages<{ nextCursor?: string | undefined }>(method, ask, schema);
  }
  return pages.flatMap(({ tools }) => tools.map(({ name }) => name));
}

type Ask = (method: string, params?: Question['params']) => <Result>(schema: z.ZodType<Result>) => Promise<Result>;

async function listPages<Page extends { nextCursor?: string | undefined }>(
  method: string,
  ask: Ask,
  schema: z.ZodType<Page>,
): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor: string | undefined;
  do {
    const page: Page = await ask(method, cursor === undefined ? undefined : { cursor })(schema);
    pages.push(page);
    cursor = page.nextCursor;
  } while (cursor !== undefined && pages.length < PAGES_MAX);
  if (cursor === undefined) return pages;
  throw new JobRefused(`${method} goes on after ${PAGES_MAX} pages. Let it end, and build the release again.`);
}

/** The handshake of the 2025 era, in a session that is ended at once. */
async function probeHandshake(runtime: RuntimeClient, subject: ReleaseSubject, signal: AbortSignal): Promise<void> {
  const question: Question = {
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'wharf-verification', version: '1.0.0' },
    },
    principal: PRINCIPAL,
    timeoutMs: ANSWER_MS,
    sessionId: newId(),
  };
  try {
    await askValid(runtime, subject, question, signal)(InitializeResultSchema);
  } finally {
    await closeSession(runtime, subject, question);
  }
}

function askValid(runtime: RuntimeClient, subject: ReleaseSubject, question: Question, signal: AbortSignal) {
  return async <Result>(schema: z.ZodType<Result>): Promise<Result> => {
    const answer = await askRelease(runtime, subject, question, signal);
    if (answer.kind === 'error') {
      throw new JobRefused(`The release did not answer ${question.method}: ${answer.message} Build it again, mended.`);
    }
    const parsed = schema.safeParse(answer.result);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new JobRefused(
      `What the release answers to ${question.method} is not what MCP says: /${issue?.path.join('/') ?? ''} ` +
        `${issue?.message ?? ''}. Mend the server and build it again.`,
    );
  };
}

/** Refuses a release whose worker lists other tools than its manifest. @throws JobRefused naming the difference */
export function refuseDifference(expected: readonly string[], listed: readonly string[]): void {
  const missing = expected.filter((name) => !listed.includes(name));
  const surplus = listed.filter((name) => !expected.includes(name));
  if (missing.length === 0 && surplus.length === 0 && expected.length === listed.length) return;
  const parts = [
    `The release lists ${listed.length} tools instead of ${expected.length}.`,
    ...(missing.length > 0 ? [`Missing: ${shown(missing)}.`] : []),
    ...(surplus.length > 0 ? [`Unexpected: ${shown(surplus)}.`] : []),
  ];
  throw new JobRefused(parts.join(' '));
}

function shown(names: readonly string[]): string {
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${rest}`;
}
