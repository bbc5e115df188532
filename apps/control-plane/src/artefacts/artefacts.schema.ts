import { z } from 'zod';
import { contract } from '../contract/contract.js';

/** `POST /v1/artefacts` */
export const uploadArtefact = contract({
  summary: 'Upload a document to build releases from; it is stored under its SHA-256.',
  body: {
    kind: 'bytes',
    bytesMax: 32 * 1024 * 1024,
    mediaTypes: ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml', 'application/octet-stream'],
  },
  answer: {
    status: 201,
    means: 'The document is stored; name it by its digest.',
    schema: z.strictObject({ digest: z.string(), bytes: z.int(), media_type: z.string() }),
  },
  refuses: ['conflict', 'rate_limited'],
});
