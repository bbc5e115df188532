import type { Drifted } from '../upstream/pinned-session.js';

/** How an upstream is for one caller, as far as is known. */
export type UpstreamView =
  | { readonly kind: 'up'; readonly drifted: Drifted }
  | { readonly kind: 'down'; readonly reason: string };

/** What is known of a caller that nobody has asked anything for is forgotten after this. */
const FORGET_MS = 3_600_000;

/** What each caller was told of the tools that are not there, so that it hears of a change once, and only of a change. */
export class ToolViews {
  readonly #lists: (upstream: string) => boolean;
  readonly #views = new Map<string, Map<string, UpstreamView>>();
  readonly #told = new Map<string, string>();
  readonly #notedAtMs = new Map<string, number>();

  /** `lists`: whether the list of this route has a tool of an upstream at all. */
  constructor(lists: (upstream: string) => boolean = () => true) {
    this.#lists = lists;
  }

  /** Notes how an upstream is for a caller. */
  note(caller: string, upstream: string, view: UpstreamView, nowMs = Date.now()): void {
    this.#notedAtMs.set(caller, nowMs);
    const own = this.#views.get(caller) ?? new Map<string, UpstreamView>();
    this.#views.set(caller, own.set(upstream, view));
  }

  /** How an upstream is; one that was never met is taken to be as it was approved. */
  find(caller: string, upstream: string): UpstreamView | undefined {
    return this.#views.get(caller)?.get(upstream);
  }

  /** The caller is shown its list as it is now. */
  tell(caller: string): void {
    this.#told.set(caller, this.#textOf(caller));
  }

  /** Whether the caller's list differs from the one that it was shown; true once for each change. */
  hasChanged(caller: string): boolean {
    const told = this.#told.get(caller);
    const text = this.#textOf(caller);
    if (told === undefined || told === text) return false;
    this.#told.set(caller, text);
    return true;
  }

  /** Forgets a caller. */
  end(caller: string): void {
    this.#views.delete(caller);
    this.#told.delete(caller);
    this.#notedAtMs.delete(caller);
  }

  /** Forgets who has not come back for long: nobody says that a principal will not. */
  forget(nowMs: number): void {
    for (const [caller, atMs] of this.#notedAtMs) if (nowMs - atMs > FORGET_MS) this.end(caller);
  }

  #textOf(caller: string): string {
    const views = [...(this.#views.get(caller) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
    const hidden = views.flatMap(([upstream, view]) =>
      view.kind === 'down' && this.#lists(upstream) ? [upstream] : [],
    );
    return JSON.stringify(hidden);
  }
}
