export { findBlob, putBlob } from './blobs.js';
