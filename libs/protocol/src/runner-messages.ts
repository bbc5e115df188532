import type { GuardReport, ResultGuard } from './result-guard.js';
import type { AskSubject } from './kept-results.js';
import type { DocumentChange } from './knowledge.js';
import type { BuildReport } from './manifest.js';
import type { CallFault } from './call-facts.js';
import type { Envelope, FrameFailure, Mount, OutcomeClass } from './messages.js';
import type { LoginWanted } from './person-token.js';
import type { UpstreamErrorClass } from './upstream-state.js';

/**
 * Why egress did not bring an answer. `blocked`, `no_credential`, `open`, `held`, `busy`, `connect` and `untrusted` mean
 * that nothing was sent; `no_credential` is the tenant's own to mend, `open` the breaker's doing, and `held` an operator's.
 */
export type FetchFailureReason =
  | 'blocked'
  | 'no_credential'
  | 'open'
  | 'held'
  | 'busy'
  | 'timeout'
  | 'too_large'
  | 'connect'
  | 'broken_off'
  | 'untrusted'
  | 'aborted'
  | 'invalid_response';

/** What an answer from before tells of itself. */
export interface StaleMark {
  readonly ageMs: number;
  /** Why no new answer could be had. */
  readonly reason: UpstreamErrorClass | 'open';
}

/** Worker-runtime → runner, over the worker's own pipe. `s` numbers the exchange in this worker, `f` a fetch. */
export type ToRunnerFrame =
  /** Once, first: what this worker is for. Payload: the manifests, one after the other, as `manifests` lists them. */
  | {
      readonly t: 'bind';
      /** What the runtime's clock says (epoch milliseconds), by which it sets deadlines: a worker may be on another machine. */
      readonly atMs: number;
      readonly mounts: readonly Mount[];
      /** Digest of the view, which is among the manifests. */
      readonly view?: string;
      readonly manifests: ReadonlyArray<{ readonly digest: string; readonly bytes: number }>;
    }
  /** After `bind` and whenever one changes: the values of the secrets that the route's servers are started with. */
  | { readonly t: 'secrets'; readonly values: Readonly<Record<string, string>> }
  /** After `bind`, once for each bundle. Payload: its archive. */
  | { readonly t: 'artefact'; readonly digest: string }
  /** Payload: the MCP message (empty for `listen` and `close`). */
  | {
      readonly t: 'message';
      readonly s: number;
      readonly era: Envelope['era'];
      readonly operation: Envelope['operation'];
      readonly sessionId?: string;
      /** Came in a batch (`Envelope.batched`). */
      readonly batched?: true;
      /** Whose call it is (`Envelope.principal`). */
      readonly principal?: string;
      readonly deadlineMs: number;
      readonly progress?: NonNullable<Envelope['progress']>;
      readonly parameterHeaders?: Readonly<Record<string, string>>;
      /** W3C `traceparent` of what the worker does for it. */
      readonly traceparent?: string;
      /** Set when `done` is to tell what the tool was asked and answered (`Envelope.recordsContent`). */
      readonly recordsContent?: true;
      /** How many bytes of an answer a result shows (`Envelope.inlineBytes`). */
      readonly inlineBytes?: number;
      /** What the answer may hold (`Envelope.guard`). */
      readonly guard?: ResultGuard;
    }
  | { readonly t: 'cancel'; readonly s: number }
  /** Answers `ask`. Payload: the answer, empty where it failed. */
  | { readonly t: 'answer'; readonly a: number; readonly failure?: FrameFailure }
  /** Documents have changed that this open stream may show. */
  | { readonly t: 'changed'; readonly s: number; readonly change: DocumentChange }
  /** Answer with `pong`: whoever does not is busy with something that never ends. */
  | { readonly t: 'ping' }
  /**
   * Instead of `bind`: build one release and exit. Payload: `sourceBytes` bytes of source JSON, then the artefact.
   * `registryUrl` is where packages are installed from, through the worker's outlet.
   */
  | {
      readonly t: 'build';
      readonly s: number;
      readonly serverSlug: string;
      readonly sourceBytes: number;
      readonly registryUrl?: string;
    }
  /** A streamed answer begins; `fetch-data` frames follow, and `fetched` or `fetch-failed` ends it. */
  | {
      readonly t: 'fetch-began';
      readonly f: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** Payload: the next whole lines of a streamed answer, with secrets redacted. */
  | { readonly t: 'fetch-data'; readonly f: number }
  /** Payload: the body (what is left of a streamed one: nothing), decoded and with the tenant's secrets redacted. */
  | {
      readonly t: 'fetched';
      readonly f: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly ms: number;
      /** Set when this is the last good answer because a new one could not be had. */
      readonly stale?: StaleMark;
    }
  | {
      readonly t: 'fetch-failed';
      readonly f: number;
      readonly reason: FetchFailureReason;
      readonly message: string;
      readonly retryAtMs?: number;
      /** Set when nothing was sent because the person who calls has to log in at the upstream first. */
      readonly login?: LoginWanted;
    };

/** Runner → worker-runtime. */
export type FromRunnerFrame =
  /** The process is up and may be bound. */
  | { readonly t: 'ready' }
  | { readonly t: 'bound' }
  | { readonly t: 'pong' }
  | { readonly t: 'part'; readonly s: number }
  /**
   * Asks about documents of a server of the route, or about results of it, for an open exchange. Payload: the question
   * (`KnowledgeQuestion`, `ResultQuestion`).
   */
  | {
      readonly t: 'ask';
      readonly s: number;
      readonly a: number;
      readonly serverSlug: string;
      readonly about?: AskSubject;
    }
  /** `content` is the JSON of a `CallContent`, as text: a runner may nest it as deep as it likes. */
  | {
      readonly t: 'done';
      readonly s: number;
      readonly outcome: OutcomeClass;
      readonly fault?: CallFault;
      readonly serverEnded?: true;
      readonly own?: true;
      readonly guard?: GuardReport;
      readonly content?: string;
    }
  | { readonly t: 'fail'; readonly s: number; readonly failure: FrameFailure; readonly outcome: OutcomeClass }
  /** Payload: the manifest, then the archive that the build has packed, if it did. */
  | {
      readonly t: 'built';
      readonly s: number;
      readonly digest: string;
      readonly report: BuildReport;
      readonly archiveBytes?: number | undefined;
    }
  /**
   * Payload: the request body. `s` 0: for no exchange, which lasts seconds, or a stream that is listened to. `stream`: an answer that is an
   * event stream is handed over as it comes. Egress takes origins and credentials from the manifest `digest`, never
   * from the runner. `lasts`: it goes on when its exchange has ended, for as long as a stream may. `session`: a name of
   * the session with an upstream that it is of, where people have logins of their own there.
   */
  | {
      readonly t: 'fetch';
      readonly f: number;
      readonly s: number;
      readonly digest: string;
      readonly tool: string;
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly stream?: true;
      readonly lasts?: true;
      readonly session?: string;
    }
  | { readonly t: 'fetch-abort'; readonly f: number }
  /** An upstream of a release lists, or may list, what was not approved. */
  | { readonly t: 'drifted'; readonly digest: string }
  /** A server of a release says that one of its lists, or a resource of it, has changed. */
  | { readonly t: 'lists-changed'; readonly digest: string };
