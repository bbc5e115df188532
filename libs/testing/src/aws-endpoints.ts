import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Who the endpoints say that a service is. */
export interface GivenKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What the next request is answered instead. */
export interface AwsFault {
  readonly status: number;
  readonly body: string;
}

/** What gives credentials within AWS: STS, the agent beside a container, and the instance metadata service. */
export interface TestAwsEndpoints {
  readonly url: string;
  /** Requests so far, as `POST /`, with what was sent. */
  readonly requests: Array<{
    readonly line: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }>;
  /** How long the credentials are good that are given from now on. */
  livesMs: number;
  failNext(...faults: readonly AwsFault[]): void;
  stop(): Promise<void>;
}

/** The session token that goes with every set of keys that is given. */
export const GIVEN_SESSION_TOKEN = 'IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==';
const AGENT_TOKEN = 'agent-token';
const METADATA_TOKEN = 'AQAEAMvLcPnyVzexample==';
const NOT_FOUND: AwsFault = { status: 404, body: '' };

/** Starts the endpoints on a port of their own; they answer in the forms of AWS's documentation. */
export async function startAwsEndpoints(keys: GivenKeys): Promise<TestAwsEndpoints> {
  const requests: TestAwsEndpoints['requests'] = [];
  const faults: AwsFault[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const line = `${request.method ?? ''} ${request.url ?? ''}`;
      requests.push({ line, headers: request.headers, body });
      const expiration = new Date(Date.now() + endpoints.livesMs).toISOString();
      const answer = faults.shift() ?? answerOf(line, request.headers, { body, keys, expiration });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoints: TestAwsEndpoints = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP
    requests,
    livesMs: 3_600_000,
    failNext: (...planned) => void faults.push(...planned),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return endpoints;
}

interface Asked {
  readonly body: string;
  readonly keys: GivenKeys;
  readonly expiration: string;
}

function answerOf(line: string, headers: IncomingMessage['headers'], asked: Asked): AwsFault {
  const hasToken = headers['x-aws-ec2-metadata-token'] === METADATA_TOKEN;
  switch (line) {
    case 'POST /':
      return stsAnswer(asked);
    case 'GET /v1/credentials':
      return headers.authorization === AGENT_TOKEN ? jsonAnswer(asked) : { status: 400, body: 'invalid token' };
    case 'PUT /latest/api/token':
      return { status: 200, body: METADATA_TOKEN };
    case 'GET /latest/meta-data/iam/security-credentials/':
      return hasToken ? { status: 200, body: 'wharf-role' } : { status: 401, body: '' };
    case 'GET /latest/meta-data/iam/security-credentials/wharf-role':
      return hasToken ? jsonAnswer(asked) : { status: 401, body: '' };
    default:
      return NOT_FOUND;
  }
}

function jsonAnswer({ keys, expiration }: Asked): AwsFault {
  const body = {
    Code: 'Success',
    LastUpdated: '2026-01-01T00:00:00Z',
    Type: 'AWS-HMAC',
    AccessKeyId: keys.accessKeyId,
    SecretAccessKey: keys.secretAccessKey,
    Token: GIVEN_SESSION_TOKEN,
    Expiration: expiration,
  };
  return { status: 200, body: JSON.stringify(body) };
}

/** As the AWS STS API Reference shows it for AssumeRoleWithWebIdentity. */
function stsAnswer({ body, keys, expiration }: Asked): AwsFault {
  const form = new URLSearchParams(body);
  const isAsked = form.get('Action') === 'AssumeRoleWithWebIdentity' && form.get('Version') === '2011-06-15';
  if (!isAsked || form.get('WebIdentityToken') !== 'service-account-token')
    return { status: 400, body: stsRefusal('InvalidIdentityToken') };
  return {
    status: 200,
    body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <AssumedRoleUser><Arn>${form.get('RoleArn')}</Arn></AssumedRoleUser>
    <Credentials>
      <SessionToken>${GIVEN_SESSION_TOKEN}</SessionToken>
      <SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>
      <Expiration>${expiration}</Expiration>
      <AccessKeyId>${keys.accessKeyId}</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`,
  };
}

/** What STS says where it refuses. */
export function stsRefusal(code: string): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
}
