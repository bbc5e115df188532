export { isCloudAddress, isOwnAddress, isPublicAddress } from './public-address.js';
