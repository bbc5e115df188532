export { withMasterKeys, wrapMasterKey } from './master-keys.js';
