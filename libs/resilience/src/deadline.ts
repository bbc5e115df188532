/** A signal that fires at a deadline or when its parent does; `done` releases the timer. */
export interface Deadline {
  readonly signal: AbortSignal;
  done(): void;
}

/** A deadline `ms` from now, within an outer signal. The signal's reason is a `TimeoutError` when time ran out. */
export function withDeadline(ms: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('The deadline has passed.', 'TimeoutError')), ms);
  const follow = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) follow();
  else outer?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}
