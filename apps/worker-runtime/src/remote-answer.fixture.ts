import type { Ended } from './worker-runtime.fixture.js';

/** What an answer holds that tests look at. */
export interface RemoteAnswer extends Ended {
  readonly rpc: {
    readonly result: {
      readonly tools: ReadonlyArray<{ readonly name: string; readonly description: string }>;
      readonly content: ReadonlyArray<{ readonly text: string }>;
      readonly isError?: boolean;
      readonly _meta?: Readonly<Record<string, unknown>>;
      readonly [member: string]: unknown;
    };
    readonly error: { readonly code: number; readonly message: string; readonly data?: { readonly reason: string } };
  };
}

/** What a call ended with, its message parsed. */
export function readAnswer(ended: Ended): RemoteAnswer {
  return { ...ended, rpc: ended.message === '' ? undefined : JSON.parse(ended.message) };
}
