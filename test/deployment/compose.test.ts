import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly mem_limit?: string;
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
}

const { services, volumes } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>; // asserted below, part by part
  volumes: object;
};
const OURS = ['auth-server', 'background', 'control-plane', 'gateway', 'worker-runtime'];

test('the compose file runs every service with its stores, and shows what they do', () => {
  expect(Object.keys(services)).toEqual(
    expect.arrayContaining([...OURS, 'migrate', 'postgres', 'redis', 'otel-collector', 'prometheus', 'grafana']),
  );
  for (const name of OURS)
    expect(services[name]).toMatchObject({
      command: ['node', `dist/apps/${name}/src/main.js`],
      read_only: true,
      cap_drop: ['ALL'],
    });
});

test('every container has a memory limit, a version and a health check or the reason that it has none', () => {
  for (const [name, { healthcheck, image, mem_limit: limit }] of Object.entries(services)) {
    expect([name, healthcheck, limit]).toEqual([name, expect.any(Object), expect.stringMatching(/^\d+[mg]$/)]);
    expect(image).toMatch(/:(?!latest)[\w.-]+$/);
  }
});

test('what it mounts is there, what it waits for runs, and it listens on this machine alone', () => {
  for (const { volumes: mounts = [], depends_on: waits = {}, ports = [] } of Object.values(services)) {
    for (const mount of mounts) {
      const [source = ''] = mount.split(':');
      expect(source.startsWith('.') ? existsSync(source) : source in volumes).toBe(true);
    }
    for (const name of Object.keys(waits)) expect(services).toHaveProperty([name]);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('the image is not root, brings no tools, and says when it is ready', () => {
  const text = readFileSync('Dockerfile', 'utf8');
  expect(text).toContain('USER 65532:65532');
  expect(text).toContain('HEALTHCHECK');
  expect(text).toMatch(/npm ci --ignore-scripts --omit=dev/);
  expect(text).toContain('npm sbom');
  for (const [, copied = ''] of text.matchAll(/^COPY (?!--from)(.+) \.\/$/gm))
    for (const file of copied.split(' ')) expect(existsSync(file)).toBe(true);
});
