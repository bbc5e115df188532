import type { Notification, Result } from '@modelcontextprotocol/client';
import { canonicalJson, type UpstreamPins } from '#libs/protocol';
import { driftOf, type DefinitionKind, type Drift } from './definitions.js';
import type { Asking } from './upstream-fetch.js';
import type { Peer, PeerRequest } from '../peer/peer.js';
import type { EgressPort } from '../egress/egress-port.js';
import { UpstreamSession, type SessionStart } from './upstream-session.js';

/** What a release approved of that is not what its upstream lists any more. */
export type Drifted = Readonly<Record<'tools' | 'prompts', Drift>>;

const NONE: Drift = { changed: [], removed: [], added: [] };
/** As of a session, with whom to tell that its upstream has drifted. */
export type PinnedStart = SessionStart & { readonly port: Pick<EgressPort, 'open' | 'drifted'> };

type Whose = Omit<Asking, 'kind'>;

/** A session with an upstream whose definitions are held against those that the release approved of. */
export class PinnedSession {
  readonly #pins: UpstreamPins;
  readonly #session: UpstreamSession;
  /** Told where the definitions are not those that were approved, or are so again. */
  readonly #onDrift: () => void;
  #checking: Promise<Drifted> | undefined;
  #checkedAtMs = 0;
  #drifted: Drifted = { tools: NONE, prompts: NONE };
  /** What each list looked like to the caller when it was last looked at. */
  readonly #seen = new Map<DefinitionKind, string>();
  readonly #looking = new Set<DefinitionKind>();

  private constructor(session: UpstreamSession, pins: UpstreamPins, onDrift: () => void) {
    this.#session = session;
    this.#pins = pins;
    this.#onDrift = onDrift;
  }

  /** Connects and looks at the definitions. @throws Error */
  static async open(start: PinnedStart, pins: UpstreamPins): Promise<PinnedSession> {
    const pinned = new PinnedSession(await UpstreamSession.open(start), pins, () => start.port.drifted(start.digest));
    await pinned.check(start.asking, 0).catch((error: unknown) => {
      void pinned.stop();
      throw error;
    });
    if (start.listens && pinned.#session.capabilities.resources?.listChanged === true)
      await pinned.hasChanged('resources', start.asking).catch(() => undefined); // it is looked at when it is used
    return pinned;
  }

  get drifted(): Drifted {
    return this.#drifted;
  }

  get era(): Peer['era'] {
    return this.#session.era;
  }

  get capabilities(): Peer['capabilities'] {
    return this.#session.capabilities;
  }

  get keepsSessions(): boolean {
    return this.era === 'legacy';
  }

  /** Whether its connection is gone for good. */
  get closed(): boolean {
    return this.#session.closed;
  }

  /** Looks at the definitions where that was longer ago. @throws as UpstreamSession.request */
  async check(asking: Whose, ageMsMax: number): Promise<Drifted> {
    if (Date.now() - this.#checkedAtMs <= ageMsMax) return this.#drifted;
    return (this.#checking ??= this.#look(asking).finally(() => {
      this.#checking = undefined;
    }));
  }

  /** The definitions may have changed: they are looked at before the next use. */
  doubt(): void {
    this.#checkedAtMs = 0;
  }

  request(request: PeerRequest, asking: Whose): Promise<Result> {
    return this.#session.request(request, asking);
  }

  /**
   * Whether a list is another than when it was last looked at, as its caller is shown it; looks at it once for all
   * that ask meanwhile. @throws as UpstreamSession.request
   */
  async hasChanged(kind: DefinitionKind, asking: Whose): Promise<boolean> {
    if (this.#looking.has(kind)) return false;
    this.#looking.add(kind);
    try {
      await Promise.resolve(); // notifications that came together are one
      this.#looking.delete(kind);
      const now = await this.#textOf(kind, asking);
      const before = this.#seen.get(kind); // another look may have ended meanwhile
      this.#seen.set(kind, now);
      return before !== now;
    } finally {
      this.#looking.delete(kind);
    }
  }

  notify(notification: Notification): void {
    this.#session.notify(notification);
  }

  stop(): Promise<void> {
    return this.#session.stop();
  }

  async #textOf(kind: DefinitionKind, asking: Whose): Promise<string> {
    if (kind === 'tools' || kind === 'prompts') {
      await this.check(asking, 0);
      return hiddenText(this.#drifted[kind]);
    }
    const templates = await this.#session.pins('resourceTemplates', asking);
    return canonicalJson([await this.#session.pins('resources', asking), templates]);
  }

  async #look(asking: Whose): Promise<Drifted> {
    const startedAtMs = Date.now();
    const tools = await this.#session.pins('tools', asking);
    const prompts = await this.#session.pins('prompts', asking);
    const before = canonicalJson(this.#drifted);
    this.#drifted = { tools: driftOf(this.#pins.tools, tools), prompts: driftOf(this.#pins.prompts, prompts) };
    if (before !== canonicalJson(this.#drifted) || isDrift(this.#drifted)) this.#onDrift();
    this.#seen.set('prompts', this.#seen.get('prompts') ?? hiddenText(this.#drifted.prompts));
    this.#checkedAtMs = startedAtMs;
    return this.#drifted;
  }
}

function isDrift({ tools, prompts }: Drifted): boolean {
  return [tools, prompts].some((of) => of.changed.length + of.removed.length + of.added.length > 0);
}

/** What of a list its caller is not shown. */
function hiddenText({ changed, removed }: Drift): string {
  return canonicalJson([...changed, ...removed].sort());
}
