/**
 * Names that no tenant may take: as hosts below the base domain they would pass for the platform's own, or stand for
 * roles that people trust.
 */
const RESERVED: ReadonlySet<string> = new Set(
  `about abuse account accounts admin administrator api app apps assets auth authorize autoconfig autodiscover
  background billing blog bot broadcasthost cdn ci cloud community conformance console control-plane contact dashboard
  demo dev developer developers dns docs download downloads email example files ftp gateway git graphql health healthz
  help home host hostmaster id identity imap info internal invalid isatap issuer jwks ldap legal list lists localdomain
  localhost login logout mail mailer-daemon marketplace mcp media metrics mx news noc no-reply noreply ns ns1 ns2 ns3
  ns4 null oauth oidc operator operators ops partner partners payment payments platform pop pop3 portal postmaster
  privacy private prod production proxy readyz register registry root sales saml secure security server servers service
  services signin signup sip site smtp ssl sso staging static stats status store stun support sysadmin system t team
  telemetry tenant tenants terms test token tokens undefined upload usenet user users v1 v2 v3 vpn web webhook webhooks
  webmail webmaster well-known wharf worker workers wpad www www1 www2 xmpp`.split(/\s+/),
);

/** Whether a slug is kept for the platform; labels of encoded host names (`xn--…`) are too. */
export function isReservedSlug(slug: string): boolean {
  return RESERVED.has(slug) || /^..--/.test(slug);
}
