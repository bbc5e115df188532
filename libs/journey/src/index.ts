export { ApiProblem } from './api/api-problem.js';
export { HttpDoor, queryOf } from './api/http-door.js';
export { OperatorApi, type PlanLimits } from './api/operator-api.js';
export type {
  ApiKey,
  AuditPage,
  AuditRecord,
  BuiltRelease,
  NewApiKey,
  Release,
  Server,
  SignedUp,
  StoredSecret,
  Tenant,
} from './api/shapes.js';
export { signUp, WharfApi, type AuditFilter, type SignUp } from './api/wharf-api.js';
export {
  connectAgent,
  connectWithApiKey,
  type Agent,
  type AgentProtocol,
  type PersonAgent,
} from './agent/connect-agent.js';
export { callRaw, type RawAnswer, type RawCall } from './agent/raw-call.js';
export { allowDevice, logInAtUpstream, refuseDevice, signInAsPerson, type Person } from './browser/sign-in.js';
export { startUpstream, type Upstream, type UpstreamOptions } from './upstream/start-upstream.js';
export { runJourney, type JourneyOptions } from './steps/run-journey.js';
export type { Report } from './steps/stage.js';
