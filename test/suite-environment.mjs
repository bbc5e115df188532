// A suite's world is that of its worker process, as the platform's is that of its process: one realm, so one `Error` and
// one `Array`, for our modules, for packages and for Node. What a suite changed of it is taken back when the suite ends.
import { ModernFakeTimers } from '@jest/fake-timers';
import { context, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { ModuleMocker } from 'jest-mock';

/** Globals that packages have made: those stay loaded, and so does what they keep there. */
const ofPackages = new Set();

/** Does what loads a package, and keeps the globals that it makes. */
export function loadingPackage(load) {
  const before = new Set(Reflect.ownKeys(globalThis));
  const loaded = load();
  for (const key of Reflect.ownKeys(globalThis)) if (!before.has(key)) ofPackages.add(key);
  return loaded;
}

/** Puts every global back to what it is now. */
function keepGlobals() {
  const kept = Object.getOwnPropertyDescriptors(globalThis);
  return () => {
    for (const key of Reflect.ownKeys(globalThis)) {
      if (!Object.hasOwn(kept, key) && !ofPackages.has(key)) Reflect.deleteProperty(globalThis, key);
    }
    for (const key of Reflect.ownKeys(kept)) Reflect.defineProperty(globalThis, key, kept[key]);
  };
}

/** Puts back what Jest, for a suite, and a program that a suite runs set of the process. */
function keepProcess() {
  const { exit, getBuiltinModule, exitCode } = process;
  return () => Object.assign(process, { exit, getBuiltinModule, exitCode });
}

/** Takes away the listeners that the process does not have now. */
function keepListeners() {
  const kept = new Map(process.eventNames().map((name) => [name, new Set(process.rawListeners(name))]));
  return () => {
    for (const name of process.eventNames()) {
      for (const listener of process.rawListeners(name)) {
        if (kept.get(name)?.has(listener) !== true) process.removeListener(name, listener);
      }
    }
  };
}

/** Puts every variable of the process's environment back to what it is now. */
function keepVariables() {
  const kept = { ...process.env };
  return () => {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(kept, name)) delete process.env[name];
    Object.assign(process.env, kept);
  };
}

/** Takes away what was registered with OpenTelemetry for the process. */
function unregisterTelemetry() {
  for (const api of [context, diag, metrics, propagation, trace]) api.disable();
}

/** The environment of one suite, as Jest's runner makes it. */
export default class WorkerRealm {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);

  constructor({ projectConfig }) {
    this.conditions = projectConfig.testEnvironmentOptions.customExportConditions;
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.endings = [unregisterTelemetry, keepVariables(), keepListeners(), keepProcess(), keepGlobals()];
  }

  async setup() {}

  async teardown() {
    this.fakeTimersModern.dispose();
    for (const end of this.endings) end();
  }

  exportConditions() {
    return this.conditions;
  }

  /** Asked for by Jest's runner; our runtime takes none. */
  getVmContext() {
    return globalThis;
  }
}
