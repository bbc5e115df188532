/** What is written for a tenant and a tool. */
export interface ToolLabels {
  readonly tenant: string;
  readonly server: string;
  readonly tool: string;
}
