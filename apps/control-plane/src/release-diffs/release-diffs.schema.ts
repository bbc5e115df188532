import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { serverParams } from '../servers/servers.schema.js';

const effect = z.enum(['breaking', 'compatible', 'wording']);
const change = z.strictObject({ pointer: z.string(), change: z.string(), effect });
const replaced = z.strictObject({ before: z.unknown(), after: z.unknown() }).nullable();

const toolChange = z
  .strictObject({
    name: z.string(),
    effect,
    input: z.array(change).meta({ description: 'What agents send: must all they sent before still be taken?' }),
    output: z.array(change).meta({ description: 'What agents get: is it still what they understood?' }),
    description: replaced,
    title: replaced,
    annotations: replaced,
    meta: replaced.meta({ description: 'What extensions say of the tool (`_meta`), such as its user interface.' }),
  })
  .meta({ id: 'ToolChange' });

/** A comparison as the API shows it. */
export const diffSchema = z
  .strictObject({
    from: z.strictObject({ id: z.uuid(), number: z.int() }),
    to: z.strictObject({ id: z.uuid(), number: z.int() }),
    effect: z.enum(['none', 'breaking', 'compatible', 'wording']),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(toolChange),
    list_tokens: z.strictObject({ before: z.int(), after: z.int() }),
    tool_tokens: z
      .array(z.strictObject({ name: z.string(), before: z.int().nullable(), after: z.int().nullable() }))
      .meta({ description: 'Tools that cost an agent’s list more or less than before; null where there is none.' }),
  })
  .meta({ id: 'ReleaseDiff' });

/** `GET /v1/servers/{server}/releases/{release}/diff` */
export const diffRelease = contract({
  summary: 'Show what is different between two releases, as agents see them.',
  description:
    'A tool under another name is one removed and one added. `breaking` means that a call that was right may be refused, or an answer not understood.',
  params: serverParams.extend({ release: z.uuid() }),
  query: z.strictObject({
    from: z.uuid().optional().meta({ description: 'The release to compare with; without it, the live one.' }),
  }),
  answer: { status: 200, means: 'The differences.', schema: z.strictObject({ diff: diffSchema }) },
  refuses: ['conflict'],
});
