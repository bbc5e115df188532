import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { nextCursor, shortList } from '../paging/cursor.js';
import { serverParams } from '../servers/servers.schema.js';

const majorSchema = z
  .strictObject({
    major: z.int(),
    version: z.string(),
    release: z.uuid(),
    url: z.url().meta({ description: 'Where agents reach it.' }),
    state: z.enum(['live', 'deprecated', 'ended']),
    deprecated_at: z.iso.datetime().nullable(),
    served_until: z.iso.datetime().nullable().meta({ description: 'Null for what is live.' }),
  })
  .meta({ id: 'ServerMajor' });

/** `GET /v1/servers/{server}/majors` */
export const listMajors = contract({
  summary: 'List the major versions of a server that are or were reachable at URLs of their own.',
  params: serverParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Highest first.',
    schema: z.strictObject({ majors: z.array(majorSchema), next_cursor: nextCursor }),
  },
});

/** `PUT /v1/servers/{server}/majors/{major}` */
export const changeMajor = contract({
  summary: 'Say until when an older major version stays reachable.',
  description: 'Until then its answers carry `Deprecation` and `Sunset`; from then on its URL answers 404.',
  params: serverParams.extend({ major: z.string().regex(/^(0|[1-9][0-9]{0,4})$/) }),
  body: jsonBody(
    z.strictObject({
      served_until: moment.refine(
        (text) => Date.parse(text) < Date.now() + 730 * 86_400_000,
        'at most 730 days from now',
      ),
    }),
  ),
  answer: { status: 200, means: 'The major version.', schema: z.strictObject({ major: majorSchema }) },
});
