/** What an address is for, by IANA's special-purpose registries. Only `public` is the open internet. */
export type AddressClass =
  | 'public'
  | 'loopback'
  /** Networks of an organisation of its own: RFC 1918, and IPv6's unique local addresses. */
  | 'private'
  | 'link-local'
  /** Carrier-grade NAT. */
  | 'shared'
  | 'multicast'
  | 'documentation'
  /** Where clouds answer with a machine's credentials. */
  | 'metadata'
  /** Everything else that is no address of a server on the internet. */
  | 'reserved'

type Range = readonly [network: string, prefixLength: number, AddressClass]

/** The first match decides, so what is narrower stands before what holds it. */
const IPV4_RANGES: readonly Range[] = [
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['168.63.129.16', 32, 'metadata'],
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
]

const IPV6_RANGES: readonly Range[] = [
  ['fd00:ec2::254', 128, 'metadata'],
  ['fd20:ce::254', 128, 'metadata'],
  ['::1', 128, 'loopback'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'multicast'],
  ['2001:db8::', 32, 'documentation'],
  ['3fff::', 20, 'documentation'],
  // Teredo, benchmarking, ORCHID and the other protocol assignments.
  ['2001::', 23, 'reserved'],
  ['2000::', 3, 'public'],
]

/** IPv6 addresses that lead to the IPv4 address they hold, with the position of its first 16 bits. */
const IPV4_WITHIN_IPV6: readonly (readonly [network: string, prefixLength: number, group: number])[] = [
  ['::ffff:0:0', 96, 6], // mapped
  ['::', 96, 6], // compatible (deprecated)
  ['::ffff:0:0:0', 96, 6], // translated
  ['64:ff9b::', 96, 6], // NAT64
  ['2002::', 16, 1], // 6to4
]

/** The number of a dotted decimal IPv4 address, the only spelling that URLs and DNS answers use; else `null`. */
function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let value = 0n
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null
    value = (value << 8n) | BigInt(part)
  }
  return value
}

/** The number of an IPv6 address in any spelling, without brackets and without a zone; else `null`. */
function parseIpv6(text: string): bigint | null {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  let hex = text
  if (dotted?.[1] !== undefined && dotted[2] !== undefined) {
    const tail = parseIpv4(dotted[2])
    if (tail === null) return null
    hex = `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  }
  const halves = hex.split('::')
  if (halves.length > 2) return null
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  let value = 0n
  for (const group of [...head, ...Array<string>(missing).fill('0'), ...tail]) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null
    value = (value << 16n) | BigInt(`0x${group}`)
  }
  return value
}

function isWithin(value: bigint, network: bigint, prefixLength: number, bits: number): boolean {
  const shift = BigInt(bits - prefixLength)
  return value >> shift === network >> shift
}

/** Read at the first address, and not by every isolate that begins. */
let parsed: ReturnType<typeof parseTables> | null = null

function parseTables() {
  return {
    ipv4: IPV4_RANGES.map(([network, prefixLength, addressClass]) => ({
      network: parseIpv4(network) ?? 0n,
      prefixLength,
      addressClass,
    })),
    ipv6: IPV6_RANGES.map(([network, prefixLength, addressClass]) => ({
      network: parseIpv6(network) ?? 0n,
      prefixLength,
      addressClass,
    })),
    embeddings: IPV4_WITHIN_IPV6.map(([network, prefixLength, group]) => ({
      network: parseIpv6(network) ?? 0n,
      prefixLength,
      group,
    })),
  }
}

function tables() {
  parsed ??= parseTables()
  return parsed
}

function classifyIpv4(value: bigint): AddressClass {
  const range = tables().ipv4.find((r) => isWithin(value, r.network, r.prefixLength, 32))
  return range?.addressClass ?? 'public'
}

function classifyIpv6(value: bigint): AddressClass {
  if (value === 0n) return 'reserved'
  const range = tables().ipv6.find((r) => isWithin(value, r.network, r.prefixLength, 128))
  // `::1` and what is special by itself is decided before what it may embed.
  if (range !== undefined && range.addressClass !== 'public') return range.addressClass
  const embedding = tables().embeddings.find((e) => isWithin(value, e.network, e.prefixLength, 128))
  if (embedding !== undefined)
    return classifyIpv4((value >> BigInt(96 - 16 * embedding.group)) & 0xffff_ffffn)
  return range?.addressClass ?? 'reserved'
}

/**
 * What an IP address is for. IPv4 in dotted decimal, IPv6 in any spelling (brackets allowed); `null` for
 * what is no address, among it an IPv6 address with a zone, which never leaves a machine.
 */
export function classifyAddress(text: string): AddressClass | null {
  const ipv4 = parseIpv4(text)
  if (ipv4 !== null) return classifyIpv4(ipv4)
  const ipv6 = parseIpv6(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text)
  return ipv6 === null ? null : classifyIpv6(ipv6)
}

/** How far a host of a URL lies: `private` is reachable where that is allowed, `forbidden` never. */
export type HostReach = 'public' | 'private' | 'forbidden'

/** Whether an address may be called: private networks and the machine itself are what `private` means. */
export function addressReach(addressClass: AddressClass): HostReach {
  if (addressClass === 'public') return 'public'
  return addressClass === 'private' || addressClass === 'loopback' ? 'private' : 'forbidden'
}

/** Names that exist in private networks only (RFC 6761, 6762, 8375, ICANN's `internal`, and what routers use). */
const PRIVATE_SUFFIX =
  /(?:^|\.)(?:localhost|local|internal|intranet|private|corp|home|lan|localdomain|home\.arpa)$/
const METADATA_NAME =
  /^(?:metadata|metadata\.goog|metadata\.google\.internal|instance-data(?:\.ec2\.internal)?)$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * How far the host of a parsed URL lies (`URL.hostname`: in lower case, IPv4 in dotted decimal, IPv6 in
 * brackets), by its spelling alone. A `public` name may still resolve to a private address.
 */
export function hostReach(hostname: string): HostReach {
  const addressClass = classifyAddress(hostname)
  if (addressClass !== null) return addressReach(addressClass)
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  if (name.length > 253 || !name.split('.').every((label) => LABEL.test(label))) return 'forbidden'
  if (METADATA_NAME.test(name)) return 'forbidden'
  return PRIVATE_SUFFIX.test(name) || !name.includes('.') ? 'private' : 'public'
}

/** Whether the host of a parsed URL is an address and no name. */
export function isAddress(hostname: string): boolean {
  return classifyAddress(hostname) !== null
}

/**
 * What limits by address count together: an IPv4 address by itself, and of IPv6 the network of 64 bits, all
 * of whose addresses a single customer has. What is no address stays as it is.
 */
export function addressBlock(address: string): string {
  const value = address.includes(':') ? parseIpv6(address) : null
  if (value === null) return address
  // An IPv4 address, written as IPv6.
  if (value >> 32n === 0xffffn) return ipv4Text(value & 0xffff_ffffn)
  const groups = [112n, 96n, 80n, 64n].map((shift) => ((value >> shift) & 0xffffn).toString(16))
  return `${groups.join(':')}::/64`
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
}
