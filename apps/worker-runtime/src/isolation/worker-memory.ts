const held = new Map<object, number>();

/** Notes how many bytes the processes of a worker hold; without a number, that it has ended. */
export function noteMemory(worker: object, bytes: number | undefined): void {
  if (bytes === undefined) held.delete(worker);
  else held.set(worker, bytes);
}

/** What the processes of a worker held when last looked at; undefined before that, and where nobody looks. */
export function memoryOf(worker: object): number | undefined {
  return held.get(worker);
}

/** What the workers of this process hold together and the one that holds most, in bytes, as last looked at. */
export function workerMemory(): { readonly sum: number; readonly most: number } {
  let sum = 0;
  let most = 0;
  for (const bytes of held.values()) {
    sum += bytes;
    most = Math.max(most, bytes);
  }
  return { sum, most };
}
