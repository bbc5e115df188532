import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from '#libs/addresses';

/** Resolves a name and refuses it when any of its addresses is not public; the connection uses what was checked. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const first = addresses?.[0];
    if (error !== null) callback(error, '');
    else if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address)))
      callback(new Error(`${hostname} is not a public address`), '');
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
