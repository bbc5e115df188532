export { deriveKey, masterKeyId, openWithMaster, sealWithMaster } from './envelope.js';
export { TenantVault, type StoredSecret } from './tenant-vault.js';
