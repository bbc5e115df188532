export { deleteUnusedBlobs, findBlob, lockBlobs, putBlob, STORED_BYTES_MAX, storedBytes } from './blobs.js';
