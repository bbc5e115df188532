/** What a rule does with the calls that it is true of. */
export const EFFECTS = ['allow', 'deny', 'require_approval'] as const;

/** What a rule is asked about: calls of tools, with the tool and its arguments, or every request, whatever it is for. */
export const RULE_SCOPES = ['tool_calls', 'requests'] as const;

/** What a rule does. */
export type Effect = (typeof EFFECTS)[number];

/** What a rule is asked about. */
export type RuleScope = (typeof RULE_SCOPES)[number];

/** A tenant's rule, as it is written. */
export interface Rule {
  readonly name: string;
  readonly scope: RuleScope;
  readonly effect: Effect;
  /** In CEL; true of the calls that it is for. */
  readonly expression: string;
  /** For whoever is refused. */
  readonly message: string | null;
  /** Slugs of servers whose tools it is for; none for all. */
  readonly servers: readonly string[];
}

/** Who asks, whence and when: what rules of both scopes know. */
export interface RequestFacts {
  readonly principal: {
    readonly kind: 'person' | 'client' | 'api-key';
    readonly id: string;
    /** Of a person's membership; empty for all others. */
    readonly role: string;
    readonly groups: readonly string[];
    readonly scopes: readonly string[];
  };
  readonly client: { readonly id: string };
  readonly source: { readonly address: string };
  readonly now: Date;
  readonly region: string;
}

/** The tool that is called, as its server has it. */
export interface ToolFacts {
  readonly name: string;
  readonly server: string;
  readonly access: 'read' | 'write';
  readonly destructive: boolean;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** A call of a tool. */
export interface ToolCallFacts extends RequestFacts {
  readonly tool: ToolFacts;
  readonly arguments: unknown;
}

/** What became of a call: at the first rule that was true of it, or that could not be asked. */
export type Verdict =
  | { readonly kind: 'allow'; readonly rule: string | undefined }
  | { readonly kind: 'deny'; readonly rule: string; readonly message: string | null }
  | { readonly kind: 'require_approval'; readonly rule: string; readonly message: string | null }
  /** The rule failed; the call is refused. */
  | { readonly kind: 'error'; readonly rule: string; readonly why: string };
