import { Ajv2019 } from 'ajv/dist/2019.js';
import type { KubeObject } from './kustomize.fixture.js';

const DURATION = { type: 'string', pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' };
const COUNT = { type: 'integer', minimum: 0, maximum: 4_294_967_295 };
const NAME = { type: 'string', minLength: 1 };
const closed = (properties: object, ...required: readonly string[]): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/**
 * What `BackendTrafficPolicy` may hold of what we use (Envoy Gateway, API reference, gateway.envoyproxy.io/v1alpha1). Nobody
 * publishes its schema as a package, and a cluster drops fields in silence that it does not know.
 */
const BACKEND_TRAFFIC_POLICY = closed(
  {
    apiVersion: { const: 'gateway.envoyproxy.io/v1alpha1' },
    kind: { const: 'BackendTrafficPolicy' },
    metadata: { type: 'object' },
    spec: closed(
      {
        targetRefs: {
          type: 'array',
          minItems: 1,
          items: closed(
            { group: NAME, kind: { enum: ['Gateway', 'HTTPRoute'] }, name: NAME, sectionName: NAME },
            'group',
            'kind',
            'name',
          ),
        },
        loadBalancer: {
          ...closed(
            {
              type: { enum: ['ConsistentHash', 'LeastRequest', 'Random', 'RoundRobin'] },
              consistentHash: closed(
                { type: { const: 'Header' }, header: closed({ name: NAME }, 'name'), tableSize: COUNT },
                'type',
                'header',
              ),
            },
            'type',
          ),
          if: { properties: { type: { const: 'ConsistentHash' } } },
          // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
          then: { required: ['consistentHash'] },
          else: { properties: { consistentHash: false } },
        },
        circuitBreaker: closed({
          maxConnections: COUNT,
          maxParallelRequests: COUNT,
          maxParallelRetries: COUNT,
          maxPendingRequests: COUNT,
          maxRequestsPerConnection: COUNT,
        }),
        timeout: closed({
          tcp: closed({ connectTimeout: DURATION }),
          http: closed({ requestTimeout: DURATION, connectionIdleTimeout: DURATION, maxConnectionDuration: DURATION }),
        }),
      },
      'targetRefs',
    ),
  },
  'apiVersion',
  'kind',
  'metadata',
  'spec',
);

const validate = new Ajv2019({ allErrors: true }).compile(BACKEND_TRAFFIC_POLICY);

/** What is wrong with an object of Envoy Gateway's. */
export function problemsOfEnvoyObject(object: KubeObject): readonly string[] {
  if (validate(object)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(' '),
  );
}
