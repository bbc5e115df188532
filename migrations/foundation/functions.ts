/** Triggers of the first schema: an append-only audit log, and notifications of committed changes. */
export const FUNCTIONS = `
create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'audit records are append-only';
end $$;
create trigger audit_records_append_only before update or delete or truncate on audit_records
  for each statement execute function refuse_change();

create function notify_tenant_change() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
  changed jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
begin
  perform pg_notify('wharf_changes', coalesce(changed ->> tg_argv[0], '*'));
  return null;
end $$;
create trigger tenants_changed after update or delete on tenants for each row execute function notify_tenant_change('id');
create trigger servers_changed after insert or update or delete on servers for each row execute function notify_tenant_change('tenant_id');
create trigger secrets_changed after insert or update or delete on secrets for each row execute function notify_tenant_change('tenant_id');
create trigger egress_allowances_changed after insert or update or delete on egress_allowances for each row execute function notify_tenant_change('tenant_id');
create trigger plans_changed after update or delete on plans for each row execute function notify_tenant_change('none');
create trigger api_keys_changed after delete or update of revoked_at, expires_at, scopes on api_keys
  for each row execute function notify_tenant_change('tenant_id');

create function notify_outbox() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  perform pg_notify('wharf_outbox', '');
  return null;
end $$;
create trigger outbox_written after insert on outbox for each statement execute function notify_outbox();
`;
