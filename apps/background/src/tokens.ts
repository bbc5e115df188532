/** Injection token of the service's logger, which is an interface and so has no class to name it by. */
export const LOGGER = Symbol('logger');
