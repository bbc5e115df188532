import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** File descriptor of the duplex socket behind which the worker's proxy is. */
const OUTLET_DESCRIPTOR = 5;

let called: Duplex | undefined;

/** Takes the connection that a runner in a pod has called for, which inherits none. */
export function takeWayOut(connection: Duplex): void {
  called = connection;
}

/** The one connection that leads out of this worker; undefined where it was given none. */
export function findWayOut(): Duplex | undefined {
  if (called !== undefined) return called;
  return isInherited() ? new Socket({ fd: OUTLET_DESCRIPTOR, readable: true, writable: true }) : undefined;
}

function isInherited(): boolean {
  try {
    return fstatSync(OUTLET_DESCRIPTOR).isSocket();
  } catch {
    return false;
  }
}
