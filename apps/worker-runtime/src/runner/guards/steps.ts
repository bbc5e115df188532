import { setImmediate as othersTurn } from 'node:timers/promises';

/** Work that pauses again and again, so that whoever drives it can let others have their turn. */
export type Steps<T> = Generator<void, T, void>;

/** How long work goes on before everything else that waits has its turn. */
const TURN_MS = 10;

/** Does the work, without keeping the process from anything else for long. */
export async function drive<T>(steps: Steps<T>): Promise<T> {
  let sinceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sinceMs < TURN_MS) continue;
    await othersTurn();
    sinceMs = performance.now();
  }
}

/** Does the work at once; for what is small. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
