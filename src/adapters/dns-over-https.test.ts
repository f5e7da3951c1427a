import { describe, expect, it } from 'vitest'
import { createDnsOverHttpsResolver } from './dns-over-https.ts'

const A = 1
const CNAME = 5
const AAAA = 28

interface Zone {
  status?: number
  records?: { type: number; TTL: number; data: string }[]
}

function resolver(zone: (name: string, type: string) => Zone | Response, maxTtlSeconds?: number) {
  const urls: string[] = []
  const resolve = createDnsOverHttpsResolver({
    fetch: async (url, init) => {
      urls.push(url)
      expect(new Headers(init.headers).get('accept')).toBe('application/dns-json')
      const query = new URL(url).searchParams
      const answer = zone(query.get('name') ?? '', query.get('type') ?? '')
      if (answer instanceof Response) return answer
      return Response.json({ Status: answer.status ?? 0, TC: false, Answer: answer.records })
    },
    ...(maxTtlSeconds === undefined ? {} : { maxTtlSeconds }),
  })
  return { resolve, urls }
}

describe('createDnsOverHttpsResolver', () => {
  it('gives the addresses of both kinds, and not the names in between', async () => {
    const { resolve, urls } = resolver((_, type) => ({
      records: [
        { type: CNAME, TTL: 300, data: 'edge.example.' },
        type === 'A'
          ? { type: A, TTL: 300, data: '192.0.2.1' }
          : { type: AAAA, TTL: 300, data: '2001:db8::1' },
      ],
    }))
    expect(await resolve('social.example')).toEqual(['192.0.2.1', '2001:db8::1'])
    expect(urls).toEqual([
      'https://cloudflare-dns.com/dns-query?name=social.example&type=A',
      'https://cloudflare-dns.com/dns-query?name=social.example&type=AAAA',
    ])
  })

  it('gives none for a name that does not exist, and asks again next time', async () => {
    const { resolve, urls } = resolver(() => ({ status: 3 }))
    expect(await resolve('nowhere.example')).toEqual([])
    expect(await resolve('nowhere.example')).toEqual([])
    expect(urls).toHaveLength(4)
  })

  it('keeps an answer, but none whose time to live is over', async () => {
    const lasting = resolver(() => ({ records: [{ type: A, TTL: 300, data: '192.0.2.1' }] }))
    await lasting.resolve('a.example')
    expect(await lasting.resolve('a.example')).toEqual(['192.0.2.1'])
    expect(lasting.urls).toHaveLength(2)

    const fleeting = resolver(() => ({ records: [{ type: A, TTL: 0, data: '192.0.2.1' }] }))
    await fleeting.resolve('a.example')
    await fleeting.resolve('a.example')
    expect(fleeting.urls).toHaveLength(4)
  })

  it.each<[string, () => Zone | Response]>([
    ['answers 503', () => new Response('busy', { status: 503 })],
    ['answers SERVFAIL', () => ({ status: 2 })],
    ['answers nonsense', () => Response.json({ hello: 'world' })],
    ['answers HTML', () => new Response('<html>')],
  ])('rejects when the resolver %s for one of the two kinds', async (_, failing) => {
    const { resolve } = resolver((_name, type) =>
      type === 'A' ? { records: [{ type: A, TTL: 300, data: '192.0.2.1' }] } : failing(),
    )
    await expect(resolve('a.example')).rejects.toThrow()
  })
})
