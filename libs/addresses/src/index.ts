export { isOpenableAddress, isOwnAddress, isPublicAddress } from './public-address.js';
export { openableLookup, publicLookup } from './guarded-lookup.js';
export { judgeTarget, type OpenedHost } from './target.js';
