import { callRaw, OperatorApi, signUp, startUpstream, WharfApi } from '#libs/journey';

/** What lets callers call as often as they can. */
const ROOMY = { callsPerMinute: 1_000_000, concurrentCalls: 100, serversMax: 10, workerMemoryMb: 256 };

/** A tenant with a live server, which agents call and go on calling. */
export interface FilledTenant {
  /** Where its agents connect, and the key that they do it with. */
  readonly agents: { readonly url: string; readonly apiKey: string };
  /** Callers call the tool from now on, each one call after the other, until they are told to stop; then: how each was answered. */
  callOn(
    callers?: number,
    everyMs?: number,
  ): { readonly answers: readonly string[]; stop(): Promise<readonly string[]> };
  /** Builds and publishes another release of the server. */
  publishAnother(): Promise<void>;
  close(): Promise<void>;
}

/** Opens one through the public door of whatever release is there. */
export async function openFilledTenant(url: string, operatorKey: string): Promise<FilledTenant> {
  const upstream = await startUpstream();
  const slug = 'filled';
  const owner = { tenantName: slug, slug, email: 'owner@filled.example', password: 'filled correct horse' };
  const { api_key: key } = await signUp(url, owner);
  const operators = new OperatorApi({ publicUrl: url, operatorKey });
  await operators.definePlan(slug, ROOMY, 'test');
  await operators.setPlan(slug, slug, 'test');
  await operators.allowEgress(slug, upstream.host, upstream.port, 'test');
  const api = new WharfApi({ publicUrl: url, apiKey: key.text });
  await api.createServer('books', 'Books');
  const agents = `${url}/t/${slug}/books/mcp`;
  let built = 0;
  const publishAnother = async (): Promise<void> => {
    const { release } = await api.createRelease('books', sourceOf(upstream.url, (built += 1)));
    await api.publish('books', release.id);
  };
  await publishAnother();
  const answerOf = async (): Promise<string> => {
    const params = { name: 'books', arguments: {} };
    const { status, message } = await callRaw({ url: agents, bearer: key.text, method: 'tools/call', params });
    return status === 200 && message?.result !== undefined && message.result['isError'] !== true
      ? 'ok'
      : `${status} ${JSON.stringify(message)}`;
  };
  return {
    agents: { url: agents, apiKey: key.text },
    publishAnother,
    callOn(callers = 1, everyMs = 200) {
      const answers: string[] = [];
      const stopped = new AbortController();
      const call = async (): Promise<void> => {
        while (!stopped.signal.aborted) {
          answers.push(await answerOf().catch(String));
          await new Promise((resolve) => setTimeout(resolve, everyMs));
        }
      };
      const calling = Promise.all(Array.from({ length: callers }, call));
      return {
        answers,
        async stop() {
          stopped.abort();
          await calling;
          return answers;
        },
      };
    },
    close: () => upstream.stop(),
  };
}

function sourceOf(upstream: string, number: number): object {
  const books = {
    name: 'books',
    description: `All books, as release ${number} lists them.`,
    inputSchema: { type: 'object', properties: {} },
    method: 'GET',
    url: `${upstream}/books`,
    annotations: { readOnlyHint: true },
  };
  return { kind: 'http', tools: [books] };
}
