export { ArchiveReader, type ArchiveSource } from './archive-reader.js';
export { importArchive, PLATFORM, type Imported, type ImportChoices } from './import-archive.js';
export { importSecretPurpose } from './secret-purpose.js';
export { readVerifierKey } from './verifier-keys.js';
