import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AddressClass, addressBlock, classifyAddress, hostReach, isAddress } from './ip-address.ts'

const CASES: [string, AddressClass][] = [
  ['8.8.8.8', 'public'],
  ['1.0.0.0', 'public'],
  ['9.255.255.255', 'public'],
  ['11.0.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['128.0.0.0', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['192.0.1.0', 'public'],
  ['192.169.0.0', 'public'],
  ['198.17.255.255', 'public'],
  ['198.20.0.0', 'public'],
  ['223.255.255.255', 'public'],
  ['0.0.0.0', 'reserved'],
  ['0.255.255.255', 'reserved'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.0', 'shared'],
  ['100.127.255.255', 'shared'],
  ['100.100.100.200', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.255', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['169.254.0.1', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.192', 'metadata'],
  ['192.0.0.8', 'reserved'],
  ['192.0.2.1', 'documentation'],
  ['192.88.99.1', 'reserved'],
  ['192.168.255.255', 'private'],
  ['198.18.0.0', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.7', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'reserved'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['[::1]', 'loopback'],
  ['2606:4700::1111', 'public'],
  ['2A00:1450:4001:81B::200E', 'public'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['0:0:0:0:0:ffff:c0a8:1', 'private'],
  ['::127.0.0.1', 'loopback'],
  ['::ffff:0:10.0.0.1', 'private'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['64:ff9b:1::1', 'reserved'],
  ['100::1', 'reserved'],
  ['2001::1', 'reserved'],
  ['2001:2::1', 'reserved'],
  ['2001:20::1', 'reserved'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:c0a8:101::1', 'private'],
  ['2002:808:808::', 'public'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fd00:ec2::254', 'metadata'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'private'],
  ['ff02::1', 'multicast'],
]

describe('classifyAddress', () => {
  it.each(CASES)('takes %s for %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected)
    expect(isAddress(address)).toBe(true)
  })

  it.each([
    '',
    'example.com',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '0x7f.0.0.1',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
    '12345::',
    'g::',
    '::1.2.3.256',
    '1.2.3.4::',
  ])('takes %j for no address', (text) => {
    expect(classifyAddress(text)).toBeNull()
  })

  it('classifies an IPv4 address the same in every spelling that URLs know', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff_ffff }), (number) => {
        const bytes = [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
        const expected = classifyAddress(bytes.join('.'))
        const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'))
        for (const host of [
          String(number),
          `0x${number.toString(16)}`,
          `0${number.toString(8)}`,
          bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
          `${bytes.join('.')}.`,
          `[::ffff:${bytes.join('.')}]`,
          `[64:ff9b::${hex[0]}${hex[1]}:${hex[2]}${hex[3]}]`,
        ]) {
          expect(classifyAddress(new URL(`http://${host}/`).hostname)).toBe(expected)
        }
      }),
    )
  })

  it('classifies an IPv6 address the same as the URL parser spells it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(classifyAddress(new URL(`http://[${address}]/`).hostname)).toBe(classifyAddress(address))
        expect(classifyAddress(address)).not.toBeNull()
      }),
    )
  })
})

describe('hostReach', () => {
  it.each([
    ['social.example.com', 'public'],
    ['social.example.com.', 'public'],
    ['xn--bcher-kva.example', 'public'],
    ['8.8.8.8', 'public'],
    ['[2606:4700::1111]', 'public'],
    ['localhost', 'private'],
    ['localhost.', 'private'],
    ['api.localhost', 'private'],
    ['printer.local', 'private'],
    ['db.internal', 'private'],
    ['nas.lan', 'private'],
    ['router.home.arpa', 'private'],
    ['mastodon', 'private'],
    ['127.0.0.1', 'private'],
    ['[::1]', 'private'],
    ['10.1.2.3', 'private'],
    ['[fd12::1]', 'private'],
    ['metadata.google.internal', 'forbidden'],
    ['metadata.google.internal.', 'forbidden'],
    ['metadata', 'forbidden'],
    ['169.254.169.254', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['[fe80::1]', 'forbidden'],
    ['100.64.0.1', 'forbidden'],
    ['', 'forbidden'],
    ['.', 'forbidden'],
    ['a..b', 'forbidden'],
    ['a.b..', 'forbidden'],
    ['-a.example', 'forbidden'],
    [`${'a'.repeat(64)}.example`, 'forbidden'],
    [`${'a.'.repeat(130)}example`, 'forbidden'],
  ])('finds %j to be %s', (hostname, expected) => {
    expect(hostReach(hostname)).toBe(expected)
  })
})

describe('addressBlock', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['::ffff:c633:6407', '198.51.100.7'],
    ['unknown', 'unknown'],
    ['not:an:address', 'not:an:address'],
    ['', ''],
  ])('counts %j as %j', (address, block) => {
    expect(addressBlock(address)).toBe(block)
  })
})
