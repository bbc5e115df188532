import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestCertificate } from '#libs/testing';
import { roomIn } from '../network/room-in.js';
import { NETWORK_FAULTS, TcpProxy, type NetworkFault } from '../network/tcp-proxy.js';

/** What an upstream itself can do wrong. */
const MODES = ['hang', '500s', 'garbage', 'endless SSE', '1 GB body', 'redirect loop'] as const;
type Mode = (typeof MODES)[number];

/** Long enough that whatever breaks meets some calls half-way. */
const SLOW_MS = 400;
const SSE_EVERY_MS = 50;
const CHUNK = Buffer.alloc(1024 * 1024, 'x');
const CHUNKS = 1024;

const SLOW_TLS = 'upstream slow TLS';
const faultOf = (mode: Mode): string => named(`upstream ${mode}`);
const linkFaultOf = (fault: NetworkFault): string => named(`runtime to upstream ${fault}`);

/** The faults that upstreams have, in order. */
export const SICK_UPSTREAMS: readonly string[] = [
  ...MODES.map(faultOf),
  ...NETWORK_FAULTS.map(linkFaultOf),
  named(SLOW_TLS),
];

/** An origin that a tool calls, whose fault begins and ends. */
export interface SickOrigin {
  readonly fault: string;
  /** The tool that calls it. */
  readonly tool: string;
  readonly origin: string;
  begin(): void;
  end(): void;
}

/** A request that reached an upstream: with which text, and at which tenant's path. */
export interface Heard {
  readonly text: string;
  readonly mark: string;
}

/**
 * The upstreams of every tenant, `POST /{mark}/note?text=…`: they count what they hear and answer with the mark. One is
 * always well, and takes its time at `/{mark}/slow`; each other has a fault of its own.
 */
export class Upstreams {
  readonly #closing: Array<() => Promise<void>> = [];
  readonly sick: SickOrigin[] = [];

  private constructor(
    readonly well: string,
    /** Every request that came, in order. */
    readonly heard: readonly Heard[],
  ) {}

  static async start(certificate: TestCertificate): Promise<Upstreams> {
    const heard: Heard[] = [];
    const note = (one: Heard): void => void heard.push(one);
    const listening = async (server: Server): Promise<number> => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port; // a TCP server's address
    };
    const well = createPlain((request, response) => answerWell(request, response, note));
    const upstreams = new Upstreams(`http://localhost:${await listening(well)}`, heard);
    upstreams.#closing.push(() => closed(well));
    for (const mode of MODES) {
      let fault: Mode | undefined;
      const server = createPlain((request, response) => {
        if (fault === undefined) return answerWell(request, response, note);
        if (request.url?.startsWith('/round') !== true) hearRequest(request, note);
        return answerSick(fault, response);
      });
      const port = await listening(server);
      upstreams.#closing.push(() => closed(server));
      const switched = { begin: () => void (fault = mode), end: () => void (fault = undefined) };
      upstreams.#add(faultOf(mode), `http://localhost:${port}`, switched);
    }
    for (const fault of NETWORK_FAULTS) {
      const proxy = await TcpProxy.open(Number(new URL(upstreams.well).port));
      upstreams.#closing.push(() => proxy.close());
      const switched = { begin: () => proxy.begin(fault), end: () => proxy.end() };
      upstreams.#add(linkFaultOf(fault), `http://localhost:${proxy.port}`, switched);
    }
    const secure = createSecure({ ...certificate }, (request, response) => answerWell(request, response, note));
    const slow = await TcpProxy.open(await listening(secure));
    upstreams.#closing.push(
      () => slow.close(),
      () => closed(secure),
    );
    const switched = { begin: () => slow.begin('slow drip'), end: () => slow.end() };
    upstreams.#add(named(SLOW_TLS), `https://localhost:${slow.port}`, switched);
    return upstreams;
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.map((close) => close()));
  }

  #add(fault: string, origin: string, switched: { begin(): void; end(): void }): void {
    this.sick.push({ fault, tool: `note_${this.sick.length + 1}`, origin, ...switched });
  }
}

function named(text: string): string {
  return text.toLowerCase().replaceAll(' ', '-');
}

function hearRequest(request: IncomingMessage, note: (heard: Heard) => void): Heard {
  const url = new URL(request.url ?? '/', 'http://upstream');
  const heard = { text: url.searchParams.get('text') ?? '', mark: url.pathname.split('/')[1] ?? '' };
  note(heard);
  return heard;
}

function answerWell(request: IncomingMessage, response: ServerResponse, note: (heard: Heard) => void): void {
  const { text, mark } = hearRequest(request, note);
  request.resume();
  const answer = (): void =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ text, mark }));
  if (request.url?.startsWith(`/${mark}/slow`) === true) setTimeout(answer, SLOW_MS);
  else answer();
}

function answerSick(mode: Mode, response: ServerResponse): void {
  switch (mode) {
    case 'hang':
      return;
    case '500s':
      return void response.writeHead(500).end('broken');
    case 'garbage':
      return void response
        .setHeader('content-type', 'application/json')
        .end(Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x5d]));
    case 'redirect loop':
      return void response.writeHead(302, { location: '/round' }).end();
    case 'endless SSE':
      return streamEvents(response);
    case '1 GB body':
      return void sendMuch(response);
  }
}

function streamEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write(`data: {"at": ${Date.now()}}\n\n`), SSE_EVERY_MS);
  response.on('close', () => clearInterval(timer)).on('error', () => undefined);
}

async function sendMuch(response: ServerResponse): Promise<void> {
  response.on('error', () => undefined).setHeader('content-type', 'application/json');
  for (let sent = 0; sent < CHUNKS && !response.destroyed; sent += 1) {
    if (response.write(CHUNK)) continue;
    await roomIn(response);
  }
  response.end();
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
