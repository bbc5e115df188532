/** What the secret of an import that waits is sealed for, under the master key. */
export function importSecretPurpose(importId: string): string {
  return `tenant-import:${importId}`;
}
