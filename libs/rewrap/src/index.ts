export { countRootKeyUses, type RootKeyUse } from './rewrap-batch.js';
export { MasterKeyRewrapper } from './rewrapper.js';
