import { describe, expect, it } from 'vitest'
import { platformFailure } from './platforms/test-network.ts'
import { guarded, ok } from './test-fetch.ts'

const ALWAYS_REFUSED = [
  // Not a web address, or one with a secret.
  'not a url',
  'ftp://example.com/',
  'file:///etc/passwd',
  'data:text/plain,hello',
  'javascript:alert(1)',
  'ws://example.com/',
  'http://example.com/',
  'http://8.8.8.8/',
  'https://user@example.com/',
  'https://user:secret@example.com/',
  'https://:secret@example.com/',
  // Metadata services and link-local addresses, in every spelling.
  'https://169.254.169.254/latest/meta-data',
  'https://169.254.169.254./',
  'https://2852039166/',
  'https://0xa9fea9fe/',
  'https://0xA9.0xFE.0xA9.0xFE/',
  'https://0251.0376.0251.0376/',
  'https://025177524776/',
  'https://169.254.43518/',
  'https://169.16689662/',
  'https://[::ffff:169.254.169.254]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[64:ff9b::169.254.169.254]/',
  'https://[2002:a9fe:a9fe::]/',
  'https://[fd00:ec2::254]/',
  'https://100.100.100.200/',
  'https://168.63.129.16/',
  'https://metadata.google.internal/',
  'https://METADATA.google.internal./',
  'https://metadata/',
  'https://169.254.1.1/',
  'https://[fe80::1]/',
  'https://[fe80::1%25eth0]/',
  // Nowhere, everywhere, and what is set aside.
  'https://0/',
  'https://0.0.0.0/',
  'https://0x0/',
  'https://[::]/',
  'https://[0:0:0:0:0:0:0:0]/',
  'https://[::ffff:0.0.0.0]/',
  'https://100.64.0.1/',
  'https://192.0.0.1/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://198.51.100.1/',
  'https://203.0.113.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://240.0.0.1/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[2001::1]/',
  'https://[100::1]/',
  'https://[64:ff9b:1::1]/',
  'https://[4000::1]/',
  'https://a..b/',
  'https://-bad.example/',
  // Other spellings of the same, and other networks that lead to IPv4.
  'gopher://example.com/',
  'blob:https://example.com/1',
  'https://example.com@169.254.169.254/',
  'https://169.254.169.254#@example.com/',
  'https://169.254.169.254\\@example.com/',
  'https:169.254.169.254/',
  'https:///169.254.169.254/',
  'https://１６９.２５４.１６９.２５４/',
  'https://169。254。169。254/',
  'https://0xa9.254.0251.254/',
  'https://%31%36%39.254.169.254/',
  'https://169.254.169.254:443/',
  'https://[0:0:0:0:0:ffff:a9fe:a9fe]/',
  'https://[::169.254.169.254]/',
  'https://[::ffff:0:169.254.169.254]/',
  'https://[64:ff9b:0:0:0:0:a9fe:a9fe]/',
  'https://[2002:a9fe:a9fe:ffff:ffff:ffff:ffff:ffff]/',
  // Teredo holds its server and, inverted, its client.
  'https://[2001:0:a9fe:a9fe::1]/',
  'https://[2001:0:4136:e378:8000:63bf:5601:5601]/',
  'https://[2001:20::1]/',
  'https://[3fff::1]/',
  'https://[5f00::1]/',
  'https://[fe80::a9fe:a9fe]/',
  'https://[fe80::1%eth0]/',
  'https://[febf::1]/',
  'https://[::1%25lo]/',
  'https://[fd20:ce::254]/',
  'https://169.254.170.2/v2/credentials',
  'https://192.0.0.192/',
  'https://192.88.99.1/',
  'https://100.127.255.255/',
  'https://198.19.255.255/',
  'https://255.255.255.254/',
  'https://metadata.goog/',
  'https://ⓜⓔⓣⓐⓓⓐⓣⓐ.google.internal/',
  'https://instance-data/',
  'https://256.256.256.256/',
  'https://1.2.3.4.5/',
  'https://0x100000000/',
  'https://example.com%00.internal/',
  'https://exa%0ample.com/',
  'https://example.com:65536/',
  'https://*.example/',
]

const REFUSED_UNLESS_PRIVATE_IS_ALLOWED = [
  'https://127.0.0.1/',
  'http://127.0.0.1/',
  'https://127.1/',
  'https://127.0.1/',
  'https://127.255.255.254/',
  'https://127.0.0.1./',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://017700000001/',
  'https://１２７.０.０.１/',
  'https://127。0。0。1/',
  'https://①②⑦.⓪.⓪.①/',
  'https://%31%32%37.0.0.1/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::127.0.0.1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://10.0.0.1/',
  'https://10.1/',
  'https://167772161/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.0.1/',
  'https://192.168.1/',
  'https://0300.0250.0.1/',
  'https://[fc00::1]/',
  'https://[fd12:3456::1]/',
  'https://[fec0::1]/',
  'https://localhost/',
  'https://LOCALHOST/',
  'https://ⓛocalhost/',
  'https://localhost./',
  'https://api.localhost/',
  'https://printer.local/',
  'https://db.internal./',
  'https://router.lan/',
  'https://box.home.arpa/',
  'https://intranet/',
  'https://localhost:8443/',
  'https://localhost.localdomain/',
  'https://a.b.LOCALHOST./',
  'https://ⅼocalhost/',
  'https://loc\u00adalhost/',
  'https://%6c%6f%63alhost/',
  'https://127.0.0.1:443/',
  'https://0x7f.0.0.0x1/',
  'https://0000177.0.0.01/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::ffff:c0a8:1]/',
  'https://[64:ff9b::10.0.0.1]/',
  'https://[2002:c0a8:1::]/',
  'https://[fd00::1]/',
  'https://[fdff:ffff::1]/',
  'https://172.31.0.1/',
  'https://printer.corp/',
  'https://db.private/',
]

const ALLOWED = [
  'https://example.com/',
  'https://example.com./',
  'https://example.com:443/',
  'https://EXAMPLE.com/a?b#c',
  'https://bücher.example/',
  'https://xn--bcher-kva.example/',
  'https://8.8.8.8/',
  'https://134744072/',
  'https://[2606:4700::1111]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[2002:808:808::1]/',
  'https://localhost.example.com/',
  'https://127.0.0.1.example.com/',
  'https://internal.example/',
  'https://172.32.0.1/',
  'https://172.15.255.255/',
  'https://100.128.0.1/',
  'https://[2001:4860:4860::8888]/',
  'https://[64:ff9b::8.8.8.8]/',
  'https://xn--80ak6aa92e.com/',
]

describe('the addresses of a guarded fetch', () => {
  it.each([...ALWAYS_REFUSED, ...REFUSED_UNLESS_PRIVATE_IS_ALLOWED])(
    'refuses %s without calling it',
    async (url) => {
      const { fetch, calls } = guarded(ok)
      expect((await platformFailure(fetch(url))).kind).toBe('refused')
      expect(calls).toEqual([])
    },
  )

  it.each(ALWAYS_REFUSED)('refuses %s where private hosts are allowed, too', async (url) => {
    const { fetch, calls } = guarded(ok, { allowPrivateHosts: true })
    expect((await platformFailure(fetch(url))).kind).toBe('refused')
    expect(calls).toEqual([])
  })

  it.each([
    ...REFUSED_UNLESS_PRIVATE_IS_ALLOWED,
    'http://127.0.0.1:3000/',
    'http://[::1]:3000/',
    'http://mastodon:3000/',
    'https://example.com:8443/',
  ])('calls %s where private hosts are allowed', async (url) => {
    const { fetch, calls } = guarded(ok, { allowPrivateHosts: true })
    expect(await (await fetch(url)).text()).toBe('ok')
    expect(calls).toHaveLength(1)
  })

  it.each(ALLOWED)('calls %s', async (url) => {
    const { fetch, calls } = guarded(ok)
    expect(await (await fetch(url)).text()).toBe('ok')
    expect(calls.map((call) => call.url)).toEqual([new URL(url).href])
  })

  it.each([
    'https://example.com:0/',
    'https://example.com:80/',
    'https://example.com:8443/',
    'https://example.com:22/',
  ])('refuses the port of %s', async (url) => {
    const { fetch } = guarded(ok)
    expect((await platformFailure(fetch(url))).kind).toBe('refused')
  })

  it('calls an origin of the configuration wherever it is, and no other one', async () => {
    const { fetch } = guarded(ok, { trustedOrigins: ['http://127.0.0.1:2584/xrpc'] })
    expect(await (await fetch('http://127.0.0.1:2584/xrpc/a')).text()).toBe('ok')
    expect((await platformFailure(fetch('http://127.0.0.1:2585/'))).kind).toBe('refused')
  })

  it('does not let another server redirect to an origin of the configuration', async () => {
    const { fetch, calls } = guarded(() => Response.redirect('http://127.0.0.1:2584/'), {
      trustedOrigins: ['http://127.0.0.1:2584'],
    })
    expect((await platformFailure(fetch('https://example.com/'))).kind).toBe('refused')
    expect(calls).toHaveLength(1)
  })
})
