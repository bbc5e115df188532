export { isCloudAddress, isPublicAddress } from './public-address.js';
