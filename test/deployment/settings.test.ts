import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Environment } from '#libs/config';
import { build, OVERLAYS, podsOf, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';
import { composeEnvironments, givenTo, secretsOf, unknownNames, valuesOf, type Given } from './settings.fixture.js';

type Read = (environment: Environment) => unknown;

/** The program that reads an environment, by the file that a container starts. */
let readers: ReadonlyMap<string, Read>;
let objects: ReadonlyMap<Overlay, readonly KubeObject[]>;
const of = (overlay: Overlay): readonly KubeObject[] => objects.get(overlay) ?? [];

beforeAll(async () => {
  provideKubectl();
  objects = new Map(OVERLAYS.map((overlay) => [overlay, build(overlay)]));
  const reader = async (app: string, ...names: readonly string[]): Promise<Read> => {
    const parsers = (await import(`../../apps/${app}/src/config.js`)) as Record<string, (given: unknown) => unknown>; // by its name below
    return (environment) => names.reduce((given: unknown, name) => parsers[name]?.(given), environment);
  };
  const local = await reader('local', 'parseLocalConfig');
  readers = new Map([
    ['apps/gateway', await reader('gateway', 'parseGatewayConfig')],
    ['apps/auth-server', await reader('auth-server', 'parseAuthServerConfig')],
    ['apps/control-plane', await reader('control-plane', 'parseControlPlaneConfig')],
    ['apps/background', await reader('background', 'parseBackgroundConfig')],
    ['apps/worker-runtime', await reader('worker-runtime', 'readConfig')],
    ['apps/local/src/migrate', local],
    ['apps/local/src/backup', local],
  ]);
});

function readerOf(command: readonly string[] = []): Read {
  const [program, read] = [...readers].find(([folder]) => command[1]?.startsWith(`dist/${folder}/`)) ?? [];
  if (read === undefined || program === undefined) throw new Error(`${command.join(' ')} is no program of ours.`);
  return read;
}

const settingsOf = (overlay: Overlay): Array<{ name: string; command: readonly string[]; given: Given }> => {
  // Both halves are given their keys by what they share.
  const secrets = secretsOf([...of(overlay), ...of('production/shared')]);
  return of(overlay).flatMap((object) =>
    (podsOf(object)?.spec.containers ?? [])
      .filter(({ command = [] }) => command[0] === 'node')
      .map((container) => ({
        name: object.metadata.name,
        command: container.command ?? [],
        given: givenTo(container, of(overlay), secrets, valuesOf(of('local'))),
      })),
  );
};

describe.each(OVERLAYS)('every program of the overlay %s', (overlay) => {
  test('is given names that it knows, values that it takes, and keys that somebody provides', () => {
    const settings = settingsOf(overlay);
    expect(settings.length).toBeGreaterThan(0);
    for (const { name, command, given } of settings) {
      expect([name, unknownNames(given.environment), given.missing]).toEqual([name, [], []]);
      expect(() => readerOf(command)(given.environment)).not.toThrow();
    }
  });

  test('can leave out only what the page about it says may be left out', () => {
    const page = readFileSync('docs/kubernetes.md', 'utf8');
    for (const key of settingsOf(overlay).flatMap(({ given }) => given.optional)) expect(page).toContain(`\`${key}\``);
  });
});

test('every program of the compose file is given names that it knows and values that it takes', () => {
  const { services } = composeOf(readFileSync('docker-compose.yml', 'utf8'));
  expect(services.map(({ name }) => name).toSorted()).toEqual(
    ['auth-server', 'background', 'control-plane', 'gateway', 'migrate', 'worker-runtime'].toSorted(),
  );
  for (const { environment, command } of services) {
    expect(unknownNames(environment)).toEqual([]);
    expect(() => readerOf(command)(environment)).not.toThrow();
  }
});

test.each([
  ['a name that nobody knows', 'WHARF_TRUST_PROXY:', 'WHARF_TRUSTED_PROXY:'],
  ['a value that is none', "WHARF_TRUST_PROXY: 'true'", 'WHARF_TRUST_PROXY: balancer'],
  ['a key that is too short', 'only-on-your-machine-intake-key-0000', 'short'],
  ['an operator’s key of another form', 'who_only-on-your-machine', 'who_'],
])('%s in the compose file is noticed', (_what, from, to) => {
  const text = readFileSync('docker-compose.yml', 'utf8');
  const { services } = composeOf(text.replaceAll(from, to));
  const fails = services.filter(({ environment, command }) => {
    try {
      readerOf(command)(environment);
      return false;
    } catch {
      return true;
    }
  });
  expect(fails.length).toBeGreaterThan(0);
});

test('a name of no service of ours, and a key that nobody provides, are noticed', () => {
  expect(unknownNames({ WHARF_PORT: '1', OTEL_EXPORTER_OTLP_ENDPIONT: 'x' })).toEqual(['OTEL_EXPORTER_OTLP_ENDPIONT']);
  const { missing } = givenTo(
    {
      name: 'x',
      image: 'x',
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'wharf-keys', key: 'NO_SUCH_KEY' } } }],
    },
    of('staging'),
    secretsOf(of('staging')),
    {},
  );
  expect(missing).toEqual(['wharf-keys/NO_SUCH_KEY']);
});

test('who has the wrapped master key is told how to unwrap it, and may go there', () => {
  const holders = of('staging').flatMap((object) => {
    const [container] = podsOf(object)?.spec.containers ?? [];
    return container?.env?.some(({ name }) => name === 'WHARF_MASTER_KEY') === true ? [{ object, container }] : [];
  });
  expect(holders).toHaveLength(6);
  const policy = of('staging').find(({ metadata }) => metadata.name === 'wharf-kept-master-key')?.spec;
  for (const { object, container } of holders) {
    const told = container.envFrom?.some(({ secretRef }) => secretRef?.name === 'wharf-kept-master-key');
    expect([object.metadata.name, told]).toEqual([object.metadata.name, true]);
    expect(JSON.stringify(policy)).toContain(`"${podsOf(object)?.metadata.labels['app.kubernetes.io/name']}"`);
  }
});

/** The programs of a compose file with what each is given. */
function composeOf(text: string): {
  services: Array<{ name: string; command: readonly string[]; environment: Readonly<Record<string, string>> }>;
} {
  const environments = composeEnvironments(text);
  const program = (name: string): string => (name === 'migrate' ? 'local/src/migrate' : `${name}/src`);
  return {
    services: [...environments].map(([name, environment]) => ({
      name,
      // That each is started by this command is asserted in compose.test.ts.
      command: ['node', `dist/apps/${program(name)}/main.js`],
      environment,
    })),
  };
}
