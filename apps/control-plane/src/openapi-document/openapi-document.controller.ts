import { Controller, Get, Header, Inject, Req, Res, type StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { Public } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import { Contract } from '../contract/contract.js';
import { RouteRegistry } from '../contract/route-registry.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { CONFIG } from '../platform/tokens.js';
import { buildDocument, type OpenApiDocument } from './build-document.js';
import { DOCS_POLICY, docsPage } from './docs-page.js';
import { errorsPage } from './error-docs.js';
import { OWN_GRANTS } from './own-grants.js';
import { getDocument, getErrorsPage, getPage } from './openapi-document.schema.js';
import { Published } from './published.js';

const OPEN = 'the description of the API is no secret';
const HTML = 'text/html; charset=utf-8';

/** The API's description of itself, made when somebody first asks for it. */
@Controller('v1')
export class OpenApiDocumentController {
  #document: Published | undefined;
  #page: Published | undefined;
  #errors: Published | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(RouteRegistry) private readonly registry: RouteRegistry,
  ) {}

  @Get('openapi.json')
  @Public(OPEN)
  @Contract(getDocument)
  document(@Req() request: ManagedRequest, @Res({ passthrough: true }) response: Response): Answered {
    this.#document ??= new Published(JSON.stringify(this.#built()), 'application/json; charset=utf-8');
    return this.#document.answer(request, response);
  }

  @Get('docs')
  @Public(OPEN)
  @Contract(getPage)
  @Header('content-security-policy', DOCS_POLICY)
  page(@Req() request: ManagedRequest, @Res({ passthrough: true }) response: Response): Answered {
    this.#page ??= new Published(docsPage(this.#built()), HTML);
    return this.#page.answer(request, response);
  }

  @Get('docs/errors')
  @Public(OPEN)
  @Contract(getErrorsPage)
  @Header('content-security-policy', DOCS_POLICY)
  errors(@Req() request: ManagedRequest, @Res({ passthrough: true }) response: Response): Answered {
    this.#errors ??= new Published(errorsPage(), HTML);
    return this.#errors.answer(request, response);
  }

  #built(): OpenApiDocument {
    return buildDocument([...this.registry.routes(), ...OWN_GRANTS], this.config.WHARF_PUBLIC_URL);
  }
}

type Answered = Promise<StreamableFile | undefined>;
