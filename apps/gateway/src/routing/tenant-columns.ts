/** The tenant’s profiles, of `tenants t`. */
export const PROFILES = `(select coalesce(jsonb_agg(jsonb_build_object('slug', f.slug, 'name', f.name, 'view', f.view_digest,
    'servers', f.settings -> 'servers', 'readOnly', (f.settings ->> 'read_only')::boolean,
    'search', (f.settings ->> 'search')::boolean) order by f.slug), '[]')
  from profiles f where f.tenant_id = t.id)`;

const ROLLOUT = `(select jsonb_build_object('id', o.id, 'step', o.step, 'stableId', o.stable_release_id,
    'candidateId', c.id, 'candidateDigest', c.digest, 'candidateMajor', c.major,
    'percent', case when o.state in ('running', 'paused') then o.percent else 0 end,
    'shadowPercent', case when o.strategy = 'shadow' and o.state = 'running'
      then (o.steps -> o.step ->> 'percent')::int else 0 end,
    'readOnlyTools', case when o.strategy = 'shadow' then to_jsonb(o.read_only_tools) else '[]' end,
    'shadowsSessions', o.shadows_sessions)
  from rollouts o join releases c on c.tenant_id = o.tenant_id and c.id = o.candidate_release_id
  where o.tenant_id = s.tenant_id and o.server_id = s.id and o.state in ('checking', 'running', 'paused', 'draining'))`;

const OLDER_MAJORS = `(select coalesce(jsonb_agg(jsonb_build_object('major', m.major, 'releaseId', o.id,
    'digest', o.digest, 'deprecatedAt', m.deprecated_at, 'servedUntil', m.served_until)), '[]')
  from server_majors m join releases o on o.tenant_id = m.tenant_id and o.id = m.release_id
  where m.tenant_id = s.tenant_id and m.server_id = s.id and m.served_until > now())`;

/** A session that rests for longer than its plan lets it is gone: what was withdrawn before that has none left. */
const WITHDRAWN = `(select coalesce(jsonb_agg(w.id), '[]') from releases w where w.tenant_id = s.tenant_id
  and w.server_id = s.id and w.withdrawn_at > now() - make_interval(secs => p.session_idle_seconds + 600))`;

/** The budget that is used up, of `tenants t` with its plan `p`. */
export const USED_BUDGET = `(select jsonb_build_object('since', u.month at time zone 'utc',
    'until', (u.month + interval '1 month') at time zone 'utc', 'budget', b.name)
  from usage_months u cross join lateral (values (1, 'calls_per_month', u.calls, p.calls_per_month),
      (2, 'tool_seconds_per_month', u.tool_ms / 1000, p.tool_seconds_per_month),
      (3, 'bytes_per_month', u.bytes, p.bytes_per_month),
      (4, 'egress_bytes_per_month', u.egress_bytes, p.egress_bytes_per_month)) as b (place, name, used, most)
  where u.tenant_id = t.id and u.month = date_trunc('month', now() at time zone 'utc')::date
    and p.over_budget = 'refuse' and b.used >= b.most
  order by b.place limit 1)`;

/** The tenant’s own limits, of `tenants t`. */
export const CALL_LIMITS = `(select coalesce(jsonb_agg(jsonb_build_object('name', l.name, 'per', l.per, 'server', l.server,
    'tools', l.tools, 'clients', l.clients, 'calls', l.calls, 'windowSeconds', l.window_seconds,
    'whenUncertain', l.when_uncertain) order by l.name), '[]')
  from call_limits l where l.tenant_id = t.id)`;

/** The servers that are live, of `tenants t` with its plan `p`. */
export const SERVERS = `(select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'slug', s.slug, 'releaseId', r.id, 'digest', r.digest,
             'recordsContent', s.records_content, 'writes', s.writes, 'openTo', s.people, 'asksFor', s.asks_for, 'groups', s.tool_groups,
             'sseTransport', s.sse_transport, 'publicLists', s.public_lists, 'approvesDestructive', s.approves_destructive,
             'resultGuard', s.result_guard, 'inlineBytes', least(coalesce(s.inline_result_bytes, p.inline_result_bytes_max), p.inline_result_bytes_max),
             'bounds', case when s.environment is not null then jsonb_build_object('callsPerMinute', s.calls_per_minute,
               'concurrentCalls', s.concurrent_calls, 'auditMode', s.audit_mode) end,
             'major', r.major, 'olderMajors', ${OLDER_MAJORS}, 'rollout', ${ROLLOUT}, 'withdrawn', ${WITHDRAWN})
             order by s.slug), '[]')
          from servers s join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
          where s.tenant_id = t.id)`;

/** The rules that hold, of `tenants t`. */
export const RULES = `(select coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'scope', o.scope, 'effect', o.effect,
    'expression', o.expression, 'message', o.message, 'servers', o.servers, 'approvalSeconds', o.approval_seconds,
    'selfApproval', o.self_approval) order by o.priority, o.name), '[]')
  from policies o where o.tenant_id = t.id and o.enabled)`;
