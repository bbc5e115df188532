import type { DriftHint } from '#libs/protocol';

const HINTS_MAX = 10_000;

/** Which releases' workers have met something at an upstream that was not approved, until somebody asks. */
export class DriftHints {
  readonly #hints = new Map<string, DriftHint>();

  /** Notes one; while too many wait, it is left to the scheduled look. */
  note(hint: DriftHint): void {
    if (this.#hints.size < HINTS_MAX) this.#hints.set(`${hint.tenantId} ${hint.digest}`, hint);
  }

  /** Hands them over. */
  take(): DriftHint[] {
    const hints = [...this.#hints.values()];
    this.#hints.clear();
    return hints;
  }
}
