import type { ReleaseSource } from '#libs/protocol';

/** One declarative HTTP tool, as the tenant wrote it. */
export type HttpToolSource = Extract<ReleaseSource, { kind: 'http' }>['tools'][number];
