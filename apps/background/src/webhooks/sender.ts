import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { otlpRejection } from '#libs/audit';
import { judgeTarget, openableLookup, publicLookup, type OpenedHost } from '#libs/addresses';
import { Slots } from '#libs/resilience';
import { JobDeferred } from '../jobs/job-handler.js';

const DEADLINE_MS = 10_000;
const ANSWER_BYTES_MAX = 16 * 1024;
const OF_TENANT_MAX = 8;
const OF_WEBHOOK_MAX = 3;

/** Where a webhook's messages go, and with what they are signed. */
export interface Receiver {
  readonly url: string;
  readonly secrets: readonly string[];
  /** What the tenant wants sent beside what we send, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The private hosts that an operator opened for the tenant. */
  readonly opened: readonly OpenedHost[];
}

/** One message, the same at every attempt. */
export interface Message {
  readonly id: string;
  /** JSON, or a protobuf request for logs by OTLP. */
  readonly body: string | Uint8Array;
}

/**
 * What came of an attempt: the receiver's status where it answered, and a sentence for the tenant where it failed, or
 * where it took the message without some of what is in it.
 */
export interface Receipt {
  readonly status: number | null;
  readonly failure?: string;
  readonly refused?: string;
}

/**
 * Sends signed messages to tenants' receivers (https://www.standardwebhooks.com). Tenants name them, so every dial is
 * guarded, redirects are not followed, an answer's body is thrown away, and after ten seconds an attempt has failed. Of
 * one tenant and of one webhook only so many attempts run at once in this process: a receiver that hangs holds up
 * nobody else.
 */
export class WebhookSender {
  readonly #slots = new Slots();
  readonly #agents = { public: agentWith(publicLookup), opened: agentWith(openableLookup) };

  /** Takes the place of one attempt; returns its release. @throws JobDeferred where there is none */
  reserve(tenantId: string, webhookId: string): () => void {
    const ofWebhook = this.#slots.take(`${tenantId}/${webhookId}`, OF_WEBHOOK_MAX);
    const ofTenant = ofWebhook && this.#slots.take(tenantId, OF_TENANT_MAX);
    if (ofTenant === undefined) {
      ofWebhook?.();
      throw new JobDeferred('Other messages of this tenant are on their way.');
    }
    return () => {
      ofTenant();
      ofWebhook?.();
    };
  }

  /** Sends a message once. @throws the signal's reason where it fired */
  async send(
    { url, secrets, headers, opened }: Receiver,
    { id, body }: Message,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const target = judgeTarget(new URL(url), opened);
    if (target.problem !== undefined) return { status: null, failure: target.problem };
    const timestamp = Math.floor(Date.now() / 1_000);
    const until = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf',
          'user-agent': 'Wharf-Webhooks/1',
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': secrets.map((secret) => signatureOf(secret, `${id}.${timestamp}.`, body)).join(' '),
        },
        body,
        dispatcher: this.#agents[target.reach],
        signal: until,
      });
      const receipt = receiptOf(answer.statusCode);
      if (typeof body !== 'string' && receipt.failure === undefined)
        return { ...receipt, ...(await refusedOf(answer.body)) };
      // The status has said all; a body that is long, slow or broken changes nothing.
      await answer.body.dump({ limit: ANSWER_BYTES_MAX, signal: until }).catch(() => undefined);
      return receipt;
    } catch (error) {
      signal.throwIfAborted();
      return { status: null, failure: until.aborted ? NO_ANSWER : sentenceOf(error) };
    }
  }

  /** Ends what is on its way. */
  async close(): Promise<void> {
    await Promise.all([this.#agents.public.destroy(), this.#agents.opened.destroy()]);
  }
}

/** A signature as the specification writes it: HMAC-SHA-256 under the secret behind its `whsec_`. */
function signatureOf(secret: string, head: string, body: string | Uint8Array): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`;
}

/** What a collector says that it refused; one that says too much, or stops in between, says nothing. */
async function refusedOf(answer: AsyncIterable<Uint8Array>): Promise<{ readonly refused?: string }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) return {};
      chunks.push(chunk);
    }
  } catch {
    return {};
  }
  const refused = otlpRejection(Buffer.concat(chunks));
  return refused === undefined ? {} : { refused: storable(refused) };
}

/** A receiver's text as PostgreSQL can hold it. */
function storable(text: string): string {
  return text.slice(0, 500).toWellFormed().replaceAll('\u0000', '\ufffd');
}

function receiptOf(status: number): Receipt {
  if (status >= 200 && status < 300) return { status };
  if (status >= 300 && status < 400)
    return { status, failure: `The receiver answered ${status}: redirects are not followed.` };
  return { status, failure: `The receiver answered ${status}.` };
}

const NO_ANSWER = 'No answer within 10 seconds.';
const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused.',
  ENOTFOUND: 'The name does not resolve.',
  UND_ERR_HEADERS_TIMEOUT: NO_ANSWER,
  UND_ERR_CONNECT_TIMEOUT: 'No connection within 10 seconds.',
};

/** Why an attempt failed, in words that say nothing of our network. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return 'The request failed.';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Without a code it is what the lookup said of the address.
  if (code === undefined) return /address/.test(error.message) ? `${error.message}.` : 'The request failed.';
  return SENTENCES[code] ?? `The request failed (${code}).`;
}

function agentWith(lookup: typeof publicLookup): Agent {
  return new Agent({
    connect: { lookup, timeout: DEADLINE_MS },
    headersTimeout: DEADLINE_MS,
    bodyTimeout: DEADLINE_MS,
  });
}
