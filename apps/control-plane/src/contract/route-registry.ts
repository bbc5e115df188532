import { Inject, Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { PERMISSION, PUBLIC, type Permission } from '../access/permissions.js';
import { CONTRACT } from './contract.js';
import type { ContractShape } from './contract-shape.js';

/** Who may call a route. */
export type RouteAccess =
  | { readonly kind: 'permission'; readonly permission: Permission }
  | { readonly kind: 'public'; readonly reason: string };

/** One route of the management or admin API. */
export interface Route {
  readonly method: string;
  /** With places in braces, for example `/v1/servers/{server}`. */
  readonly path: string;
  readonly access: RouteAccess;
  readonly contract: ContractShape;
}

/** Thrown at start-up when a route does not say who may call it or what it takes. */
export class UndeclaredRouteError extends Error {
  override readonly name = 'UndeclaredRouteError';
}

/** Every route of the service, read from its controllers' declarations. */
@Injectable()
export class RouteRegistry {
  #routes: readonly Route[] | undefined;

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  /** The routes by path and method. @throws UndeclaredRouteError */
  routes(): readonly Route[] {
    this.#routes ??= this.#read().toSorted((a, b) => (`${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1));
    return this.#routes;
  }

  /** The methods that a path answers to, whatever the request's own method. */
  methodsOf(path: string): string[] {
    return this.routes()
      .filter((route) => patternOf(route.path).test(path))
      .map((route) => route.method);
  }

  #read(): Route[] {
    return this.discovery.getControllers().flatMap(({ instance, metatype }) => {
      const prototype: object = Object.getPrototypeOf(instance);
      const prefix = this.reflector.get<string>('path', metatype ?? instance.constructor);
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        // The scanner names methods of exactly this prototype.
        const handler = (prototype as Record<string, () => unknown>)[name];
        const path = handler === undefined ? undefined : this.reflector.get<string | undefined>('path', handler);
        if (handler === undefined || path === undefined) return [];
        return [this.#routeOf(handler, `/${prefix}/${path}`.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, ''))];
      });
    });
  }

  #routeOf(handler: () => unknown, path: string): Route {
    const method = RequestMethod[this.reflector.get<RequestMethod>('method', handler)];
    const contract = this.reflector.get<ContractShape | undefined>(CONTRACT, handler);
    const permission = this.reflector.get<Permission | undefined>(PERMISSION, handler);
    const reason = this.reflector.get<string | undefined>(PUBLIC, handler);
    if (contract === undefined) throw new UndeclaredRouteError(`${method} ${path} declares no @Contract.`);
    if ((permission === undefined) === (reason === undefined)) {
      throw new UndeclaredRouteError(`${method} ${path} must declare either @RequirePermission or @Public.`);
    }
    return {
      method,
      path: path.replaceAll(/:(\w+)/g, '{$1}'),
      contract,
      access: permission === undefined ? { kind: 'public', reason: reason ?? '' } : { kind: 'permission', permission },
    };
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`);
}
