export { COLUMNS_LEFT_OUT, CONTENT, SEALED, type Content } from './content.js';
export { newExportKey, openExportKey, type KeyEnvelope, type Recipient } from './export-key.js';
export {
  ArchiveError,
  ArchiveUnwelcome,
  FORMAT,
  signManifest,
  verifyManifest,
  type ArchiveFile,
  type ArchiveManifest,
} from './manifest.js';
export { listTenantTables, quoted, type Ask, type TenantTable } from './tables.js';
