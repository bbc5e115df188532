/**
 * SQL that is true of rows whose tenant a service of a region may serve: tenants at home there, and those that are at home
 * nowhere. `parameter` is the region's, null for a service without one.
 */
export function atHome(tenantId: string, parameter: `$${number}`): string {
  return `not exists (select from tenants home where home.id = ${tenantId} and home.home_region <> coalesce(${parameter}, ''))`;
}
