import type { z } from 'zod';
import type { ErrorCode } from '#libs/errors';

/** A JSON body, parsed by its schema within bounds. */
export interface JsonBody<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'json';
  readonly schema: Schema;
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly keysMax: number;
  /** Everything in it may be left out, so a request without a body is one with an empty object. */
  readonly mayBeAbsent: boolean;
}

/** A body that is kept as it came. */
export interface BytesBody {
  readonly kind: 'bytes';
  readonly bytesMax: number;
  readonly mediaTypes: readonly string[];
}

/** Since when a route is deprecated, when it ends at the earliest, and what stands in for it: times in ISO 8601. */
export interface Deprecation {
  readonly since: string;
  readonly sunset: string;
  readonly instead: string;
}

/** What a route takes and what it answers: the one place both are declared. */
export interface ContractShape {
  /** One line for the API document. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  /** The path names what the request creates, so a name that cannot exist is a fault in the request, not absence. */
  readonly creates?: 'what the path names';
  readonly query?: z.ZodObject;
  readonly body?: JsonBody | BytesBody;
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204;
    readonly means: string;
    readonly schema?: z.ZodType;
    /** Another media type than JSON, for a route that writes its own answer. */
    readonly mediaType?: string;
  };
  /**
   * The answer has an `ETag`; a change compares it with `If-Match`: where there is one (`compared`), or always
   * (`required`). A list has none.
   */
  readonly etag?: 'shown' | 'compared' | 'required';
  /** Where in the answer that stands which the tag is of, from member to member; everything that is answered unless said. */
  readonly tagged?: readonly string[];
  /** The route goes on working until `sunset`, and what to use instead (RFC 9745, RFC 8594). */
  readonly deprecated?: Deprecation;
  /** Codes of refusals beyond those every route has. */
  readonly refuses?: readonly ErrorCode[];
}
