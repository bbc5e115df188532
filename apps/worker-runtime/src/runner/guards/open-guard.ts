import type { ResultGuard } from '#libs/protocol';
import type { AnswerGuard } from './answer-guard.js';

/** The guard of one call; what it needs is loaded with the first, so that workers without one do not carry it. */
export async function openGuard(guard: ResultGuard): Promise<AnswerGuard> {
  const room = await import('./answer-guard.js');
  return room.AnswerGuard.of(guard);
}
