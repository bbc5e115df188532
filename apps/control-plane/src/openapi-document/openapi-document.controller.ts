import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import { Contract } from '../contract/contract.js';
import { RouteRegistry } from '../contract/route-registry.js';
import { CONFIG } from '../platform/tokens.js';
import { buildDocument, type OpenApiDocument } from './build-document.js';
import { DOCS_POLICY, docsPage } from './docs-page.js';
import { OWN_GRANTS } from './own-grants.js';
import { getDocument, getPage } from './openapi-document.schema.js';

/** The API's description of itself. */
@Controller('v1')
export class OpenApiDocumentController {
  #document: OpenApiDocument | undefined;
  #page: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(RouteRegistry) private readonly registry: RouteRegistry,
  ) {}

  @Get('openapi.json')
  @Public('the description of the API is no secret')
  @Contract(getDocument)
  document(): OpenApiDocument {
    return (this.#document ??= buildDocument([...this.registry.routes(), ...OWN_GRANTS], this.config.WHARF_PUBLIC_URL));
  }

  @Get('docs')
  @Public('the description of the API is no secret')
  @Contract(getPage)
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', DOCS_POLICY)
  page(): string {
    return (this.#page ??= docsPage(this.document()));
  }
}
