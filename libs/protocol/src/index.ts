export { builtParts, type BuiltParts } from './built-parts.js';
export { CallDeadline } from './call-deadline.js';
export { egressContextFor, environmentOf, productionSlugOf, secretPlaceOf, storedSecretName } from './environments.js';
export { encodeFrame, FrameDecoder, FrameError, type Frame } from './frames.js';
export * from './credential.js';
export * from './manifest.js';
export type { ToolLimits } from './tool-limits.js';
export { readManifest, refuseNewerManifest } from './read-manifest.js';
export {
  connectionUseSchema,
  remoteAccess,
  upstreamOwner,
  grantSchema,
  upstreamAccessSchema,
  type ConnectionUse,
  type Grant,
  type RemoteAccess,
  type UpstreamPins,
  type UpstreamSource,
} from './remote.js';
export * from './knowledge.js';
export * from './kept-results.js';
export * from './call-states.js';
export { HIDDEN_CHARACTER, nameOfCharacter } from './hidden-characters.js';
export { releaseSourceSchema, type ReleaseSource } from './release-source.js';
export type * from './egress-context.js';
export type * from './call-facts.js';
export type * from './messages.js';
export type * from './runner-messages.js';
export type * from './runtime-operation.js';
export * from './upstream-state.js';
export { canonicalJson, sha256Digest } from './canonical-json.js';
export { fitName, withHash } from './fit-name.js';
export { NumberMap } from './number-map.js';
export {
  DOCUMENTS_SINCE,
  LOGINS_SINCE,
  OPERATORS_SINCE,
  SPOKEN,
  UNSAID,
  type VersionRange,
} from './protocol-versions.js';
export { CLIENT_NAME_MAX, nameMaxBehind, plainNames } from './plain-names.js';
export { digestsOf, routeKey } from './route-key.js';
export { sessionDigest, sessionKey, sessionsOfKey } from './session-keys.js';
export {
  matchesAny,
  passes,
  RUN_TOOL,
  SEARCH_MODE_TOOLS,
  shownNames,
  throughOf,
  type NameFilter,
  type ToolView,
} from './tool-view.js';
export { accessShape, hintsShape, toolAccess, toolHints } from './tool-access.js';
export { estimateTokens } from './estimate-tokens.js';
export { FOUND_MAX, FOUND_USUAL, SEARCH_MODE, type SearchRun } from './search-mode.js';
export {
  GUARDED_BYTES,
  PERSONAL_DATA_KINDS,
  readGuardReport,
  strictestGuard,
  type GuardReport,
  type PersonalDataKind,
  type ResultGuard,
} from './result-guard.js';
export { errorTypeOf } from './error-type.js';
export { NO_PERSON, type LoginWanted, type PersonTokens, type TokenAnswer, type TokenAsk } from './person-token.js';
export { FrameWriter } from './frame-writer.js';
export { pickRuntime, type Served } from './rank-runtimes.js';
export { RuntimeClient, type BuildRequest, type BuiltRelease } from './runtime-client.js';
export type { CallReply } from './call-reply.js';
export type { RuntimeClientOptions, Supplier } from './runtime-client-options.js';
export type { Eviction } from './runtime-questions.js';
export { INTAKE_TLS, intakeTlsKey, parseRuntimeAddress, type RuntimeAddress } from './runtime-address.js';
export { connectionProof, isProof, newChallenge } from './connection-proof.js';
