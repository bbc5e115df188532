export {
  AGENT_CLIENTS,
  clientConfigs,
  type AgentClient,
  type AgentCredentials,
  type ClientConfig,
  type ConnectedUrl,
} from './client-configs.js';
export { clientName, type NamedUrl } from './client-name.js';
