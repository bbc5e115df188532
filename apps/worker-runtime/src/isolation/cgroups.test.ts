import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Cgroups } from './cgroups.js';

let mount: string;

beforeEach(() => {
  mount = mkdtempSync(path.join(tmpdir(), 'wharf-cgroups-'));
});
afterEach(() => rmSync(mount, { recursive: true }));

/** A folder as the kernel offers it: plain files stand for its controls. */
function offer(controllers: string): { mount: string; folder: string } {
  const folder = path.join(mount, 'wharf.service');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'cgroup.controllers'), `${controllers}\n`);
  writeFileSync(path.join(folder, 'cgroup.subtree_control'), '');
  return { mount, folder };
}

test('moves itself aside in a delegated folder and gives every worker its limits', () => {
  const own = offer('cpuset cpu io memory pids');
  const cgroups = Cgroups.open(own);
  expect(readFileSync(path.join(own.folder, 'wharf-runtime', 'cgroup.procs'), 'utf8')).toBe(`${process.pid}`);
  expect(readFileSync(path.join(own.folder, 'cgroup.subtree_control'), 'utf8')).toBe('+cpu +memory +pids');
  const folder = cgroups?.make({ memoryBytes: 268_435_456, processes: 128 }) ?? '';
  const settings = ['memory.max', 'memory.oom.group', 'pids.max', 'cpu.max'];
  expect(settings.map((name) => readFileSync(path.join(folder, name), 'utf8'))).toEqual([
    '268435456',
    '1',
    '128',
    '150000 100000',
  ]);
});

test('removes the folder of a worker whose last process is reaped late, with the next', () => {
  const cgroups = Cgroups.open(offer('cpu memory pids'));
  const [first, second] = [0, 1].map(() => cgroups?.make({ memoryBytes: 1, processes: 1 }) ?? '');
  cgroups?.remove(first ?? ''); // its plain files keep it, as a process would
  expect(existsSync(first ?? '')).toBe(true);
  for (const folder of [first ?? '', second ?? ''])
    for (const file of readdirSync(folder)) rmSync(path.join(folder, file));
  cgroups?.remove(second ?? '');
  expect([first, second].map((folder) => existsSync(folder ?? ''))).toEqual([false, false]);
});

test('leaves a folder alone that does not offer memory, processor and processes', () => {
  const own = offer('hugetlb');
  expect(Cgroups.open(own)).toBeUndefined();
  expect(existsSync(path.join(own.folder, 'wharf-runtime'))).toBe(false);
});

test('does without cgroups where there are none', () => {
  expect(Cgroups.open(undefined)).toBeUndefined();
  expect(Cgroups.open({ mount, folder: path.join(mount, 'missing') })).toBeUndefined();
});
