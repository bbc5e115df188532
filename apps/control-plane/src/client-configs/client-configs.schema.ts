import { z } from 'zod';
import { AGENT_CLIENTS } from '#libs/client-configs';
import { contract } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const clientConfigSchema = z
  .strictObject({
    client: z.enum(AGENT_CLIENTS),
    title: z.string(),
    config: z.string().nullable().meta({ description: 'What goes into `file`, as it is to be copied.' }),
    file: z.string().nullable().meta({ description: '`~` is the home folder; other paths are in the project.' }),
    command: z.string().nullable().meta({ description: 'The same as a command for a terminal.' }),
    link: z.string().nullable().meta({ description: 'The same as a link that opens the client.' }),
    steps: z.array(z.string()).meta({ description: 'What a person does, one sentence a step.' }),
  })
  .meta({ id: 'ClientConfig' });

/** `GET /v1/client-configs` */
export const listClientConfigs = contract({
  summary: 'Show how agents are configured for one of the tenant’s URLs.',
  description:
    'For Claude, ChatGPT, Cursor, VS Code and Claude Code: what to copy where. With `credentials=api_key` only clients ' +
    'that know keys are shown, and the key is taken from the environment or asked for: none is ever in an answer.',
  query: z.strictObject({
    at: z
      .string()
      .regex(/^[a-z0-9~-]{1,64}$/)
      .optional()
      .meta({ description: 'The slug of a server or profile; without it, the URL of all servers.' }),
    client: z.enum(AGENT_CLIENTS).optional(),
    credentials: z.enum(['sign_in', 'api_key']).default('sign_in'),
    ...shortList,
  }),
  answer: {
    status: 200,
    means: 'The configurations by client.',
    schema: z.strictObject({
      name: z.string().meta({ description: 'What clients are told to call the URL.' }),
      url: z.url(),
      configs: z.array(clientConfigSchema),
      next_cursor: nextCursor,
    }),
  },
  refuses: ['not_found'],
});
