import { z } from 'zod';
import { contract } from '../contract/contract.js';

/** `GET /v1/openapi.json` */
export const getDocument = contract({
  summary: 'The OpenAPI 3.1 document of this API.',
  answer: { status: 200, means: 'The document.', schema: z.record(z.string(), z.unknown()) },
});

/** `GET /v1/docs` */
export const getPage = contract({
  summary: 'This API’s documentation as a page for people.',
  answer: { status: 200, means: 'The page.', schema: z.string(), mediaType: 'text/html' },
});

/** `GET /v1/docs/errors` */
export const getErrorsPage = contract({
  summary: 'When each error comes and what to do, as a page for people: problem documents lead there.',
  answer: { status: 200, means: 'The page.', schema: z.string(), mediaType: 'text/html' },
});
