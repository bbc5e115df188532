import { RemoteFailure } from '../upstream/remote-failure.js';

/** What is looked for, or that it did not come in time; what comes later is for the next to use. @throws RemoteFailure */
export async function within<Found>(ms: number, looking: Promise<Found>): Promise<Found> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RemoteFailure('', 'it does not answer in time')), ms);
  try {
    return await Promise.race([looking, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
