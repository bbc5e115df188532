export { deleteUnusedBlobs, findBlob, findPlaced, keepBlob, lockBlobs, putBlob } from './blobs.js';
export { hasBlob, STORED_BYTES_MAX, storedBytes } from './stored.js';
export { BlobStore, digestOf, keepPlaced, type Placed } from './blob-store.js';
export { findMissingObjects, type ObjectSearch } from './missing-objects.js';
export { openBlobStore, openObjects } from './open-blob-store.js';
export {
  claimObject,
  dropObjects,
  findDueObjects,
  forgetObject,
  secondsSinceOldestDue,
  type DueObject,
} from './unused-objects.js';
