import type { CallerLink } from './caller-link.js';

/** A caller that can do everything, so that servers list also what they offer to such clients only; it answers nothing. */
export const ABLE_CALLER: CallerLink = {
  capabilities: {
    sampling: {},
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true },
    extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
  },
  request: () => Promise.reject(new Error('nobody is there while a release is built')),
  notify: () => undefined,
};
