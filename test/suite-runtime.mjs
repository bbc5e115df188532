// Jest's runtime, but that Node itself loads the packages, once for all suites of a worker process. Our own modules are
// loaded anew for every suite. What is overridden here is of the version of jest-runtime that package.json names.
import { createRequire } from 'node:module';
import { types } from 'node:util';
import vm from 'node:vm';
import Runtime from 'jest-runtime';
import { loadingPackage } from './suite-environment.mjs';

const require = createRequire(import.meta.url);
const load = (file) => loadingPackage(() => require(file));

/** These change other packages as they are loaded: each suite has its own, which reaches no other suite's. */
const OWN = /\/node_modules\/(@opentelemetry\/(instrumentation|sdk-node)|(require|import)-in-the-middle)\b/;

const isShared = (file) => file.includes('/node_modules/') && !file.endsWith('.json') && !OWN.test(file);

/** A package's file as a module that ours can import, with the names that Node would give it. */
function moduleOf(file) {
  const loaded = load(file);
  const isNamespace = types.isModuleNamespaceObject(loaded);
  const names = Object.keys(loaded).filter((name) => isNamespace || name !== 'default');
  return new vm.SyntheticModule(
    isNamespace ? names : [...names, 'default'],
    function () {
      for (const name of names) this.setExport(name, loaded[name]);
      if (!isNamespace) this.setExport('default', loaded);
    },
    { identifier: file },
  );
}

export default class WorkerRuntime extends Runtime {
  constructor(...given) {
    super(...given);
    const { esmLoader, executor, _resolution: resolution } = this;
    const isCommonjs = resolution.isExplicitlyCommonjs.bind(resolution);
    const ownModuleOf = esmLoader.buildCjsAsEsmSyntheticModule.bind(esmLoader);
    resolution.isExplicitlyCommonjs = (file) => isShared(file) || isCommonjs(file);
    esmLoader.buildCjsAsEsmSyntheticModule = (from, file) =>
      isShared(file) ? moduleOf(file) : ownModuleOf(from, file);
    // Without a context of its own, what a suite loads runs in the realm of its process.
    esmLoader.getContext = () => undefined;
    executor.compile = (source, filename) =>
      vm.compileFunction(source, executor.injectedModuleParameters, {
        filename,
        importModuleDynamically: (specifier) => esmLoader.dynamicImportFromCjs(specifier, filename, undefined),
      });
  }

  unstable_shouldLoadAsEsm(file) {
    return !isShared(file) && super.unstable_shouldLoadAsEsm(file);
  }

  requireModuleOrMock(from, name) {
    if (this._resolution.isCoreModule(name)) return super.requireModuleOrMock(from, name);
    const file = this._resolution.resolveCjs(from, name);
    return isShared(file) ? load(file) : super.requireModuleOrMock(from, name);
  }
}
