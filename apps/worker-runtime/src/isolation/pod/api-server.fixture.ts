import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '#libs/testing';
import { RECORDED, rulesOfTheRole, statusObject, verbOf, type RecordedAnswer } from './api-answers.fixture.js';
import { NodeUnderTest } from './api-node.fixture.js';

const TOKEN = 'a service account token';
const NAMESPACE = 'wharf-workers';
const ROUTE = new RegExp(`^/(?:api/v1|apis/[^/]+/v1)/namespaces/${NAMESPACE}/([a-z]+)(?:/([^/]+))?(?:/(log))?$`);

interface Stored {
  metadata: { name: string; labels: Record<string, string>; resourceVersion?: string };
  spec?: unknown;
  status?: unknown;
}

interface Override {
  readonly matches: RegExp;
  readonly answer: RecordedAnswer | 'silence' | 'done-without-answer';
  times: number;
}

/**
 * A Kubernetes API server with a node behind it, as far as workers see one: it stores, lists and watches, answers as
 * recorded where a test says so, lets callers do what `k8s/base/workers/workers.yaml` lets them, and runs a pod's command as a
 * process of this machine.
 */
export class ApiServerUnderTest {
  /** Method and path of every request. */
  readonly requests: string[] = [];
  readonly pods = new Map<string, Stored>();
  readonly secrets = new Map<string, Stored>();
  readonly leases = new Map<string, Stored>();
  readonly #node = new NodeUnderTest();
  readonly processes = this.#node.processes;
  /** With `false`, pods stay pending. */
  schedules = true;
  readonly #server: Server;
  readonly #certificate = selfSigned('127.0.0.1');
  readonly #rules = rulesOfTheRole();
  readonly #overrides: Override[] = [];
  readonly #watches = new Map<ServerResponse, string>();
  #version = 1;

  private constructor() {
    this.#server = createServer(this.#certificate, (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ApiServerUnderTest> {
    const server = new ApiServerUnderTest();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** Answers the next requests whose method and path match, each once. */
  answerNext(matches: RegExp, answer: Override['answer'], times = 1): void {
    this.#overrides.push({ matches, answer, times });
  }

  /** How a client finds it. */
  config(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromString(this.kubeconfig());
    return config;
  }

  /** The same as the content of a file. */
  kubeconfig(): string {
    const { port } = this.#server.address() as AddressInfo;
    const ca = Buffer.from(this.#certificate.cert).toString('base64');
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': ca } }],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }

  /** Sends one line to every watch and, with it, ends them. */
  endWatches(line: object): void {
    for (const response of this.#watches.keys()) response.end(`${JSON.stringify(line)}\n`);
  }

  /** How many watches are open. */
  get watches(): number {
    return this.#watches.size;
  }

  async stop(): Promise<void> {
    this.#node.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://api');
    const line = `${request.method} ${url.pathname}${url.searchParams.has('watch') ? ' watch' : ''}`;
    this.requests.push(line);
    const text = await textOf(request);
    const override = this.#overrides.find(({ matches, times }) => times > 0 && matches.test(line));
    if (override !== undefined) override.times -= 1;
    if (override?.answer === 'silence') return;
    if (override?.answer === 'done-without-answer') {
      this.#perform(request, url, text);
      request.socket.destroy();
      return;
    }
    if (override !== undefined) send(response, override.answer);
    else if (request.headers.authorization !== `Bearer ${TOKEN}`)
      send(response, { status: 401, body: statusObject(401, 'Unauthorized', 'Unauthorized') });
    else if (url.searchParams.get('watch') === 'true') this.#watch(url, response);
    else send(response, this.#perform(request, url, text));
  }

  #watch(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watches.set(response, url.searchParams.get('labelSelector') ?? '');
    response.once('close', () => this.#watches.delete(response));
    const from = Number(url.searchParams.get('resourceVersion'));
    for (const pod of this.pods.values())
      if (Number(pod.metadata.resourceVersion) > from) this.#tell('MODIFIED', pod, [response]);
  }

  #tell(type: string, pod: Stored, watches: Iterable<ServerResponse> = this.#watches.keys()): void {
    for (const response of watches)
      if (selects(this.#watches.get(response) ?? '', pod)) response.write(`${JSON.stringify({ type, object: pod })}\n`);
  }

  #perform({ method = '' }: IncomingMessage, url: URL, text: string): RecordedAnswer {
    const [, kind = '', name, log] = ROUTE.exec(url.pathname) ?? [];
    const verb = verbOf(method, name);
    const resource = log === undefined ? kind : `${kind}/${log}`;
    if (!this.#rules.has(`${verb} ${resource}`))
      return { status: 403, body: statusObject(403, 'Forbidden', `cannot ${verb} resource "${resource}"`) };
    const store = kind === 'pods' ? this.pods : kind === 'secrets' ? this.secrets : this.leases;
    if (verb === 'list') {
      const items = [...store.values()].filter((item) => selects(url.searchParams.get('labelSelector') ?? '', item));
      return {
        status: 200,
        body: { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: `${this.#version}` }, items },
      };
    }
    if (verb === 'create') return this.#create(kind, store, JSON.parse(text) as Stored);
    const found = store.get(name ?? '');
    if (found === undefined) return { status: 404, body: statusObject(404, 'NotFound', `${kind} "${name}" not found`) };
    if (log !== undefined) return this.#logOf(found.metadata.name);
    if (verb === 'update') {
      store.set(found.metadata.name, this.#versioned(JSON.parse(text) as Stored));
    } else {
      store.delete(found.metadata.name);
      if (kind === 'pods') this.#deleted(found);
    }
    return { status: 200, body: found };
  }

  #create(kind: string, store: Map<string, Stored>, given: Stored): RecordedAnswer {
    const { name } = given.metadata;
    if (store.has(name)) return RECORDED.conflict;
    const made = this.#versioned(given);
    store.set(name, made);
    if (kind === 'pods') {
      made.status = { phase: 'Pending' };
      this.#tell('ADDED', made);
      const secret = this.secrets.get(name) as V1Secret | undefined; // what the driver has sent, as the pod below
      if (this.schedules) this.#node.run(made as V1Pod, secret, (status) => this.setStatus(name, status));
    }
    return { status: 201, body: made };
  }

  #versioned(item: Stored): Stored {
    this.#version += 1;
    item.metadata.resourceVersion = `${this.#version}`;
    return item;
  }

  #deleted(pod: Stored): void {
    this.#node.end(pod.metadata.name);
    this.#tell('DELETED', this.#versioned(pod));
  }

  /** Says how a pod is. */
  setStatus(name: string, status: object): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    pod.status = status;
    this.#tell('MODIFIED', this.#versioned(pod));
  }

  #logOf(name: string): RecordedAnswer {
    const log = this.#node.logOf(name);
    const waiting = `container "runner" in pod "${name}" is waiting to start`;
    if (log === undefined) return { status: 400, body: statusObject(400, 'BadRequest', waiting) };
    return { status: 200, body: { log } };
  }
}

function selects(selector: string, { metadata }: Stored): boolean {
  return selector.split(',').every((term) => {
    const [label = '', value] = term.split('=');
    return term === '' || metadata.labels[label] === value;
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, { status, body, headers }: RecordedAnswer): void {
  if ('log' in body) {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(String(body.log));
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
