export { deleteUnusedBlobs, findBlob, hasBlob, lockBlobs, putBlob, STORED_BYTES_MAX, storedBytes } from './blobs.js';
