import { FrameError, type CallerFrame, type RuntimeFrame } from '#libs/protocol';
import type { IntakeRooms } from './intake-rooms.js';

/** Frames that are answered at once, by one frame. */
type Question = Extract<CallerFrame, { t: 'upstreams' | 'drift-hints' | 'breaker-changes' | 'order' | 'evict' }>;

/** Answers a caller's question, or does at once what it says. @throws FrameError for what is none of these */
export function answerQuestion(frame: Question, rooms: IntakeRooms): RuntimeFrame {
  const { s } = frame;
  switch (frame.t) {
    case 'upstreams':
      return { t: 'upstreams', s, upstreams: rooms.upstreams(frame.tenantId, frame.origins, frame.of) };
    case 'drift-hints':
      return { t: 'drift-hints', s, hints: rooms.driftHints() };
    case 'breaker-changes':
      return { t: 'breaker-changes', s, changes: rooms.breakerChanges() };
    case 'order':
      return { t: 'ordered', s, answer: rooms.desk.take(frame.order) };
    case 'evict':
      rooms.evict(frame.tenantId, frame.suspended === true ? 'suspended' : 'stopped');
      return { t: 'ok', s };
    default:
      throw new FrameError('unknown frame');
  }
}
