/** Where a request came from, as audit records name it. */
export interface Origin {
  readonly sourceAddress: string;
  readonly traceId: string;
}
