/**
 * Where a decision was made, as far as the deployment keeps it (ASVS 5.0, 16.2.1): a network of the
 * size of a country and the family of a browser, or the whole address and what the browser says of
 * itself, or nothing at all. It is evidence for the audit; nothing is decided by it.
 */

import { parseUrl } from '../parse-url.ts';
import { roomForOrigin } from './item-budget.ts';

/** How much of it is kept. */
export const decisionOriginDetails = ['none', 'coarse', 'full'] as const;

export type DecisionOriginDetail = (typeof decisionOriginDetails)[number];

/** What is kept. */
export interface DecisionOrigin {
  /** A network, `203.0.0.0/16` or `2001:db8::/32`; an address where all is kept; `unknown`. */
  from: string;
  /**
   * The family of the browser; where all is kept, what it says of itself, cut to what there is room
   * for.
   */
  agent: string;
}

/** What is known of whoever sent the form. */
export interface Sender {
  /** The address of the connection, as API Gateway tells it. */
  sourceIp: string | undefined;
  /** The browser's own words: anybody may send any. */
  userAgent: string | undefined;
}

/** In the place of an address that is none. */
const UNKNOWN = 'unknown';

/** The origin of a decision on this request, or `undefined` where nothing is kept. */
export function decisionOrigin(
  detail: DecisionOriginDetail,
  { sourceIp, userAgent = '' }: Sender,
  request: Parameters<typeof roomForOrigin>[0],
): DecisionOrigin | undefined {
  if (detail === 'none') return undefined;
  const address = addressOctets(sourceIp ?? '');
  if (detail === 'coarse') {
    return {
      from: address ? originText(networkOf(address)) : UNKNOWN,
      agent: browserFamily(userAgent),
    };
  }
  const room = roomForOrigin(request) - FULL_ADDRESS_BYTES - AGENT_NAME_BYTES;
  return {
    from: address ? originText(address) : UNKNOWN,
    agent: printable(userAgent).slice(0, Math.max(0, room)),
  };
}

/** How much of a User-Agent is looked at and kept, in characters. */
const AGENT_LENGTH = 200;

/** An address with the name of its attribute, and the name of the agent's, as they are stored. */
const FULL_ADDRESS_BYTES = 18;
const AGENT_NAME_BYTES = 2;

/** What ends up in a terminal: printable ASCII alone. */
function printable(userAgent: string): string {
  return userAgent
    .slice(0, AGENT_LENGTH)
    .replace(/[^\x20-\x7e]/g, '')
    .trim();
}

/**
 * The families that are told apart, by what only their browsers say: most also call themselves
 * Chrome and Safari.
 */
const families: [family: string, tokens: string[]][] = [
  ['Edge', ['Edg/', 'EdgA/', 'EdgiOS/', 'Edge/']],
  ['Opera', ['OPR/', 'OPT/', 'OPiOS/', 'Opera']],
  ['Samsung', ['SamsungBrowser/']],
  ['Firefox', ['Firefox/', 'FxiOS/']],
  ['Chrome', ['Chrome/', 'CriOS/', 'Chromium/']],
  ['Safari', ['Safari/']],
];

function browserFamily(userAgent: string): string {
  const looked = printable(userAgent);
  if (looked === '') return 'none';
  const found = families.find(([, tokens]) => tokens.some((token) => looked.includes(token)));
  return found?.[0] ?? 'other';
}

/** An address has 16 octets, one of IPv4 as IPv6 maps it (RFC 4291, 2.5.5.2). */
const MAPPED_IPV4 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const IPV6_OCTETS = 16;

/**
 * The octets that a network of the size of a country has in common: 16 bits of IPv4, 32 bits of
 * IPv6.
 */
const IPV4_NETWORK_OCTETS = 2;
const IPV6_NETWORK_OCTETS = 4;

function networkOf(address: Uint8Array): Uint8Array {
  const ipv4 = mappedIpv4(address);
  return ipv4 ? ipv4.slice(0, IPV4_NETWORK_OCTETS) : address.slice(0, IPV6_NETWORK_OCTETS);
}

function mappedIpv4(address: Uint8Array): Uint8Array | undefined {
  const isMapped = MAPPED_IPV4.every((octet, index) => address[index] === octet);
  return isMapped ? address.slice(MAPPED_IPV4.length) : undefined;
}

/**
 * The octets of {@link DecisionOrigin.from}: 16 of an address, 2 or 4 of a network. `undefined` for
 * what is neither.
 */
export function originOctets(from: string): Uint8Array | undefined {
  const [, network] = /^(.{1,45})\/(?:16|32)$/.exec(from) ?? [];
  const address = addressOctets(network ?? from);
  return address && network !== undefined ? networkOf(address) : address;
}

/** What {@link originOctets} was made of, in its one spelling (RFC 5952). */
export function originText(octets: Uint8Array): string {
  if (octets.length === IPV4_NETWORK_OCTETS) return `${octets.join('.')}.0.0/16`;
  if (octets.length === IPV6_NETWORK_OCTETS) return `${ipv6Text(octets)}/32`;
  return mappedIpv4(octets)?.join('.') ?? ipv6Text(octets);
}

const ipv4Pattern = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const ipv6Pattern = /^[0-9A-Fa-f:.]{2,45}$/;

function addressOctets(text: string): Uint8Array | undefined {
  const ipv4 = ipv4Pattern.exec(text)?.slice(1).map(Number);
  if (ipv4) {
    return ipv4.every((octet) => octet < 256) ? Uint8Array.of(...MAPPED_IPV4, ...ipv4) : undefined;
  }
  const canonical = ipv6Pattern.test(text) ? canonicalIpv6(text) : undefined;
  return canonical === undefined ? undefined : ipv6Octets(canonical);
}

/**
 * The URL standard's host parser is the platform's reader of IPv6 addresses: groups in hexadecimal,
 * the longest zeros as `::`.
 */
function canonicalIpv6(text: string): string | undefined {
  return parseUrl(`http://[${text}]/`)?.hostname.slice(1, -1);
}

const IPV6_GROUPS = 8;

function ipv6Octets(canonical: string): Uint8Array {
  const [head = [], tail = []] = canonical
    .split('::')
    .map((groups) => groups.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(IPV6_GROUPS - head.length - tail.length).fill('0');
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** @param octets the first ones; the others are zero */
function ipv6Text(octets: Uint8Array): string {
  const groups = Array.from({ length: IPV6_OCTETS / 2 }, (_, index) =>
    (((octets[2 * index] ?? 0) << 8) | (octets[2 * index + 1] ?? 0)).toString(16),
  );
  return canonicalIpv6(groups.join(':')) ?? UNKNOWN;
}
