import { CrashDelay } from '../hosting/crash-delay.js';
import type { MountedUpstream } from './mounted-upstream.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import { ToolViews, type UpstreamView } from './tool-views.js';
import type { RemoteCaller } from './remote-caller.js';

/**
 * What is known of upstreams: which are not there, and so are left alone for a while by all callers of this worker, and
 * what each caller's list leaves out because of that. A caller hears of it when its own list has changed.
 */
export class UpstreamHealth {
  readonly #down = new CrashDelay();
  readonly #views: ToolViews;

  /** `lists`: as for `ToolViews`. `onChanged` hears that an upstream of a release has gone or is back, for whomever. */
  constructor(
    lists: (upstream: string) => boolean,
    private readonly onChanged: (digest: string) => void,
  ) {
    this.#views = new ToolViews(lists);
  }

  /** Notes how an upstream is for a caller. */
  note(mounted: MountedUpstream, caller: RemoteCaller, view: UpstreamView): void {
    const before = this.#views.find(caller.name, viewKey(mounted))?.kind ?? 'up';
    if (before !== view.kind) this.onChanged(mounted.digest);
    this.#views.note(caller.name, viewKey(mounted), view);
    if (this.#views.hasChanged(caller.name)) caller.link?.notify({ method: 'notifications/tools/list_changed' });
  }

  /** Notes that no session could be opened: for anybody, or by this caller, whose own login was refused. */
  failed(mounted: MountedUpstream, caller: RemoteCaller, reason: string, whose: 'everybody' | 'caller'): void {
    if (whose === 'everybody') this.#down.crashed(viewKey(mounted), Date.now());
    this.note(mounted, caller, { kind: 'down', reason });
  }

  /** Refuses to try again what failed a moment ago. @throws RemoteFailure */
  refuseWhileDown(mounted: MountedUpstream, caller: RemoteCaller): void {
    const waitMs = this.#down.waitMs(viewKey(mounted), Date.now());
    if (waitMs === 0) return;
    const view = this.#views.find(caller.name, viewKey(mounted));
    const reason = view?.kind === 'down' ? view.reason : 'it could not be reached just now';
    const named = JSON.stringify(mounted.upstream.name);
    this.note(mounted, caller, { kind: 'down', reason });
    throw new RemoteFailure(
      `${named}, the upstream MCP server behind this, is not there: ${reason}. It is tried again in ${Math.ceil(waitMs / 1_000)} s. The request was not sent to it.`,
      reason,
    );
  }

  /** The caller is shown its list as it is now. */
  tell(caller: string): void {
    this.#views.tell(caller);
  }

  /** Whether a caller's list leaves out the tools of an upstream: it is not there. What was approved stays listed as it was. */
  hides(mounted: MountedUpstream, caller: string): boolean {
    return this.#views.find(caller, viewKey(mounted))?.kind === 'down';
  }

  /** Forgets a caller. */
  end(caller: string): void {
    this.#views.end(caller);
  }

  /** Forgets what is long ago. */
  forget(nowMs: number): void {
    this.#down.forget(nowMs);
    this.#views.forget(nowMs);
  }
}

/** An upstream among all releases of a worker. */
export function viewKey({ digest, upstream }: MountedUpstream): string {
  return `${digest} ${upstream.name}`;
}
