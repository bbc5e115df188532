/** What one check of a value may cost: characters held against a pattern, times the places of that pattern. */
export const CHECK_STEPS_MAX = 50_000_000;

/** What a check was about when it cost too much. */
export type CheckedText =
  | { readonly kind: 'pattern'; readonly text: string; readonly pattern: string; readonly places: number }
  | { readonly kind: 'format'; readonly text: string; readonly format: string }
  | { readonly kind: 'uniqueItems'; readonly place: string };

/** A value that cannot be checked within its budget. */
export class CheckLimit extends Error {
  constructor(readonly checked: CheckedText) {
    super(`checking this takes more than ${CHECK_STEPS_MAX} steps`);
  }
}

/**
 * The steps that are left to one check. What is linear in a text can still be long: a pattern of some hundred places takes
 * half a minute for a few megabytes, in which its worker answers nobody.
 */
export class CheckBudget {
  #left = CHECK_STEPS_MAX;

  /** Another value is checked now. */
  renew(): void {
    this.#left = CHECK_STEPS_MAX;
  }

  /** @throws CheckLimit where so many steps are not left */
  spend(steps: number, checked: CheckedText): void {
    if (steps > this.#left) throw new CheckLimit(checked);
    this.#left -= steps;
  }
}
