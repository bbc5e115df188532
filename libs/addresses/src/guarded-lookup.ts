import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isOpenableAddress, isPublicAddress } from './public-address.js';

/** Resolves a name and refuses it when any of its addresses is not public; the connection uses what was checked. */
export const publicLookup = lookupOnly(isPublicAddress, 'is not a public address');

/** As `publicLookup`, for a name that an operator's allowance names. */
export const openableLookup = lookupOnly(isOpenableAddress, 'leads to an address that no allowance opens');

function lookupOnly(accepts: (address: string) => boolean, refusal: string): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const first = addresses?.[0];
      if (error !== null) callback(error, '');
      else if (first === undefined || !addresses.every(({ address }) => accepts(address)))
        callback(new Error(`${hostname} ${refusal}`), '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
