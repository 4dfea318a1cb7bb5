/**
 * The paths of the provider's HTTP endpoints, in the form API Gateway's HTTP API wants them. The
 * stack makes one `ANY` route of each; discovery (OpenID Connect Discovery 1.0, RFC 8414) publishes
 * them below the issuer.
 */
export const routes = {
  /** What a person finds who opens the issuer: a page for client developers. */
  root: '/',
  /** CIBA Core 7; the path of the reference, and the one discovery publishes. */
  backchannelAuthentication: '/cibaAuthorization',
  /** CIBA Core 7; the path that toolkits without discovery expect. */
  backchannelAuthenticationAlias: '/bc-authorize',
  /** CIBA Core 10.1. */
  token: '/token',
  /**
   * The approval page; `{link}` is the link token of one mail, and whatever a mail program made a
   * part of it.
   */
  approve: '/approve/{proxy+}',
  /** The same for a link that was cut there: the page says so. */
  approveWithoutLink: '/approve',
  /**
   * The client's logo that the approval page shows; `{hash}` is the SHA-256 of the image, in
   * base64url.
   */
  logo: '/logo/{client}/{hash}',
  /** What browsers ask for beside every page. */
  icon: '/favicon.ico',
  /** RFC 7517: the public signing keys. */
  jwks: '/jwks',
  /** OpenID Connect Discovery 1.0, section 4. */
  openidConfiguration: '/.well-known/openid-configuration',
  /** RFC 8414, section 3. */
  oauthAuthorizationServer: '/.well-known/oauth-authorization-server',
} as const;

/** Every path at which an endpoint of the protocol answers: its own and its aliases. */
export const protocolRoutes = {
  backchannelAuthentication: [
    routes.backchannelAuthentication,
    routes.backchannelAuthenticationAlias,
  ],
  token: [routes.token],
} as const;

/** Where the approval page of a link token is. */
export function approvePath(link: string): string {
  return routes.approve.replace('{proxy+}', link);
}

/** Where the logo of a client is served. */
export function logoPath(clientId: string, hash: string): string {
  return routes.logo.replace('{client}', clientId).replace('{hash}', hash);
}
