import type { CallerFrame } from './messages.js';

/** A frame with its deadlines as the clock of its receiver says them, which is so far ahead of ours, or behind where negative. */
export function byClockAhead(frame: CallerFrame, aheadMs: number): CallerFrame {
  if (frame.t === 'build') return { ...frame, deadlineMs: frame.deadlineMs + aheadMs };
  if (frame.t !== 'call') return frame;
  const { deadlineMs, progress } = frame.envelope;
  const moved = progress === undefined ? {} : { progress: { ...progress, lastMs: progress.lastMs + aheadMs } };
  return { ...frame, envelope: { ...frame.envelope, deadlineMs: deadlineMs + aheadMs, ...moved } };
}
