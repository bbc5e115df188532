import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
const slug = z.string().regex(SLUG, '1 to 32 lower-case letters, digits and inner hyphens');
const PATTERNS_MAX = 200;

const toolPattern = z
  .string()
  .regex(/^[A-Za-z0-9_*-]{1,160}$/, 'a name like `orders__get_order`; `*` stands for any characters');
const textPattern = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, 'up to 256 visible characters; `*` stands for any characters');

function filterOf(pattern: z.ZodString): z.ZodObject<{
  include: z.ZodDefault<z.ZodNullable<z.ZodArray<z.ZodString>>>;
  exclude: z.ZodDefault<z.ZodArray<z.ZodString>>;
}> {
  return z.strictObject({
    include: z.array(pattern).min(1).max(PATTERNS_MAX).nullable().default(null),
    exclude: z.array(pattern).max(PATTERNS_MAX).default([]),
  });
}

const tools = filterOf(toolPattern).meta({
  description:
    'Full names of tools, `{server}__{tool}`, with `*` for any characters. `include` is an allow-list: it is what its ' +
    'patterns name when the profile is written, and a tool of a later release is not in it until it is written again. ' +
    '`exclude` also holds for tools that come later.',
});
const renames = z
  .record(z.string().regex(/^[A-Za-z0-9_-]{1,160}$/, 'a full name, `{server}__{tool}`'), z.string().max(64))
  .refine((given) => Object.keys(given).length <= PATTERNS_MAX, `at most ${PATTERNS_MAX} renames`)
  .meta({ description: 'Full name of a tool → what agents call it.' });

const settingsShape = {
  name: lineOfText(120),
  servers: z.array(slug).min(1).max(64).nullable().meta({
    description: 'Slugs of the servers behind it; null: all, also those that come later.',
  }),
  read_only: z.boolean().meta({ description: 'Leaves out every tool that writes.' }),
  tools,
  renames,
  prompts: filterOf(textPattern).meta({ description: 'Names of prompts, as agents see them.' }),
  resources: filterOf(textPattern).meta({ description: 'Addresses of resources, and templates of them.' }),
  search: z.boolean().meta({
    description: 'Lists search_tools, describe_tool and run_tool in place of the tools, which they find and run.',
  }),
  short_names: z.boolean().meta({
    description:
      'Gives names an alias that a client with the limit of 64 characters could not use behind its own prefix, ' +
      '`mcp__{client_name}__`.',
  }),
  client_name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/)
    .nullable()
    .meta({ description: 'What agents’ configurations call this URL; null: as its connect page says.' }),
};

/** What a profile is made of, as a tenant writes it. */
export const profileSettings = z.strictObject(settingsShape);
export type ProfileSettings = z.output<typeof profileSettings>;

const profileSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
    ...settingsShape,
    urls: z.strictObject({ mcp: z.url().meta({ description: 'The profile’s own URL, for agents.' }) }),
    live_now: z
      .strictObject({
        tools: z.int().meta({ description: 'How many tools can be called.' }),
        listed_tools: z.int(),
        list_tokens: z.int().meta({ description: 'About what the list costs an agent.' }),
        warnings: z.array(z.string()).meta({ description: 'What of it no live release has any more, or is new.' }),
      })
      .meta({ description: 'What it comes to with the releases that are live.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Profile' });

/** Path parameters of everything below one profile. */
export const profileParams = z.strictObject({ profile: slug.meta({ description: 'The profile’s slug.' }) });
const oneProfile = z.strictObject({ profile: profileSchema });
const bounds = { bytesMax: 256 * 1024 };

/** `POST /v1/profiles` */
export const createProfile = contract({
  summary: 'Create a profile: a part of your servers’ tools at a URL of its own.',
  description:
    'Its URL is `/t/{tenant}/{slug}/mcp`, so that no server and no profile have the same slug; tokens are good for this ' +
    'URL alone. The profile `mcp` is how your own URL, `/t/{tenant}/mcp`, looks. A tenant has at most 50.',
  body: jsonBody(
    z.strictObject({
      slug: slug.meta({ description: 'Names the profile in its URL; cannot be changed.' }),
      name: settingsShape.name,
      servers: settingsShape.servers.default(null),
      read_only: settingsShape.read_only.default(false),
      tools: tools.prefault({}),
      renames: renames.default({}),
      prompts: settingsShape.prompts.prefault({}),
      resources: settingsShape.resources.prefault({}),
      search: settingsShape.search.default(false),
      short_names: settingsShape.short_names.default(true),
      client_name: settingsShape.client_name.default(null),
    }),
    bounds,
  ),
  etag: 'shown',
  answer: { status: 201, means: 'The profile.', schema: oneProfile },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/profiles` */
export const listProfiles = contract({
  summary: 'List the profiles.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'All profiles, by slug.',
    schema: z.strictObject({ profiles: z.array(profileSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/profiles/{profile}` */
export const getProfile = contract({
  summary: 'Show one profile.',
  params: profileParams,
  etag: 'shown',
  answer: { status: 200, means: 'The profile.', schema: oneProfile },
});

/** `GET /v1/profiles/{profile}/tools` */
export const listProfileTools = contract({
  summary: 'List the tools that can be called at a profile’s URL, with what each costs in a list.',
  params: profileParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The tools, by their full names.',
    schema: z.strictObject({
      tools: z.array(
        z.strictObject({
          name: z.string().meta({ description: 'What agents call it.' }),
          full_name: z.string(),
          server: z.string(),
          access: z.enum(['read', 'write']),
          tokens: z.int().nullable().meta({ description: 'null for releases from before this was counted.' }),
        }),
      ),
      next_cursor: nextCursor,
    }),
  },
});

/** `PATCH /v1/profiles/{profile}` */
export const changeProfile = contract({
  summary: 'Change a profile; what is left out stays. Sessions at its URL end, so that they begin with what it is now.',
  params: profileParams,
  body: jsonBody(profileSettings.partial(), bounds),
  etag: 'compared',
  answer: { status: 200, means: 'The profile.', schema: oneProfile },
  refuses: ['unprocessable'],
});

/** `DELETE /v1/profiles/{profile}` */
export const deleteProfile = contract({
  summary: 'Delete a profile; its URL then names nothing.',
  params: profileParams,
  etag: 'compared',
  answer: { status: 204, means: 'It is gone.' },
});
