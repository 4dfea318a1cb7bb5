/** Names of hosts in DNS. */

/**
 * A host name (RFC 1123, 2.1) of two labels or more, in lower case. The last label begins with a
 * letter, because an address of IPv4 is no name.
 */
const hostNamePattern =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function isHostName(text: string): boolean {
  return hostNamePattern.test(text);
}
