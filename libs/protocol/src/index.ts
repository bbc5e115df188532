export { encodeFrame, FrameDecoder, FrameError, HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX, type Frame } from './frames.js';
export * from './manifest.js';
export type * from './messages.js';
export type * from './runner-messages.js';
export { canonicalJson, sha256Digest } from './canonical-json.js';
export { routeKey } from './route-key.js';
export { RuntimeClient, type CallReply, type RuntimeClientOptions, type Supplier } from './runtime-client.js';
export { openEnvelope, sealEnvelope, signFrame, verifyFrame } from './sealing.js';
