export { DATA_SEALED_COLUMNS, type DataSealedColumn } from './data-sealed-columns.js';
export { DataKeyRotator } from './data-key-rotator.js';
export { countDataKeyUses, type DataKeyUse } from './reseal-batch.js';
export { countRootKeyUses, type RootKeyUse } from './rewrap-batch.js';
export { MasterKeyRewrapper } from './rewrapper.js';
