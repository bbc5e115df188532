export { collectAlone } from './collect-alone.js';
export { AnswerRefused, fetchPlain, type PlainAnswer } from './fetch-plain.js';
export { requireOneHost } from './one-host.js';
export { parseJson, type JsonBounds } from './parse-json.js';
export { waitHeaders } from './rate-limit.js';
export { readBody } from './read-body.js';
export { errorDocs, requestIdOf } from './request-id.js';
export {
  clientAddress,
  requestTraceparent,
  SECURITY_HEADERS,
  securityHeaders,
  sendJson,
  sendProblem,
  validTraceparent,
} from './respond.js';
export { runWhenMain, type Needs } from './run-when-main.js';
export { answerOperational, closeServer, serverFor } from './server-for.js';
export { isLoopback, isWebOrigin } from './web-origin.js';
export { readinessOf, type Readiness, type Service } from './service.js';
