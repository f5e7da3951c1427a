import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLiveClient, type LiveClientOptions, type LiveSocket, type LiveState } from './client.ts'
import type { LiveFrame } from './frames.ts'

class FakeSocket implements LiveSocket {
  readyState = 0
  answersPings = false
  readonly sent: string[] = []
  closedWith: number | undefined
  readonly #listeners = new Map<string, ((event: never) => void)[]>()
  readonly url: URL

  constructor(url: string) {
    this.url = new URL(url)
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    this.sent.push(text)
    if (this.answersPings && text === 'ping') this.text('pong')
  }

  close(code?: number): void {
    this.readyState = 2
    this.closedWith = code
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }

  /** The hub's side. */
  text(data: unknown): void {
    this.readyState = 1
    this.#emit('message', { data })
  }

  frame(type: string, seq: number, prevSeq = seq - 1, generation = seq): void {
    const at = '2026-11-01T12:00:00.000Z'
    this.text(JSON.stringify({ seq, prevSeq, type, at, generation, data: {} }))
  }

  drop(code = 1006): void {
    this.readyState = 3
    this.#emit('close', { code })
  }
}

function setUp(overrides: Partial<LiveClientOptions> = {}) {
  const sockets: FakeSocket[] = []
  const events: LiveFrame[] = []
  const states: LiveState[] = []
  const resyncs: number[] = []
  const page = { online: true, hidden: false, changed: () => {}, watched: false }
  const getTicket = vi.fn(async () => ({ url: 'https://example.test/api/v1/realtime?ticket=t' }))
  const client = createLiveClient({
    getTicket,
    onEvent: (event) => events.push(event),
    onStateChange: (state) => states.push(state),
    onResync: ({ seq }) => resyncs.push(seq),
    WebSocketImpl: class extends FakeSocket {
      constructor(url: string) {
        super(url)
        sockets.push(this)
      }
    },
    environment: {
      isOnline: () => page.online,
      isHidden: () => page.hidden,
      onChange(listener) {
        page.changed = listener
        page.watched = true
        return () => {
          page.watched = false
        }
      },
    },
    random: () => 0.5,
    ...overrides,
  })
  return {
    client,
    events,
    states,
    resyncs,
    page,
    getTicket,
    sockets,
    socket: (index = sockets.length - 1): FakeSocket => {
      const socket = sockets[index]
      if (socket === undefined) throw new Error('No such socket was opened.')
      return socket
    },
    seqs: () => events.map((event) => event.seq),
    async wait(ms: number) {
      await vi.advanceTimersByTimeAsync(ms)
    },
    /** Starts the client and greets it at the given position. */
    async goLive(seq = 10) {
      client.start()
      await vi.advanceTimersByTimeAsync(0)
      sockets.at(-1)?.frame('hello', seq, seq)
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('connecting', () => {
  it('opens the ticket’s address as a WebSocket and is live after the hello', async () => {
    const hello = vi.fn()
    const live = setUp({ types: ['metrics', 'jobs'], onHello: hello })
    expect(live.client.state).toBe('stopped')
    await live.goLive(10)
    expect(live.socket().url.protocol).toBe('wss:')
    expect(Object.fromEntries(live.socket().url.searchParams)).toEqual({ ticket: 't', types: 'metrics,jobs' })
    expect(live.states).toEqual(['connecting', 'live'])
    expect(hello).toHaveBeenCalledExactlyOnceWith({ seq: 10, generation: 10 })
  })

  it('is done once however often it is started', async () => {
    const live = setUp()
    await live.goLive()
    live.client.start()
    await live.wait(0)
    expect(live.sockets).toHaveLength(1)
  })

  it('stays connecting while the first attempts fail, with a fresh ticket for each', async () => {
    const live = setUp()
    live.client.start()
    await live.wait(0)
    live.socket().drop(4401)
    expect(live.client.state).toBe('connecting')
    await live.wait(250)
    expect(live.sockets).toHaveLength(2)
    expect(live.getTicket).toHaveBeenCalledTimes(2)
  })

  it('gives up an attempt that has not been greeted in 20 seconds', async () => {
    const live = setUp()
    live.client.start()
    await live.wait(19_999)
    expect(live.socket().closedWith).toBeUndefined()
    await live.wait(1)
    expect(live.socket().closedWith).toBe(4000)
    await live.wait(250)
    expect(live.sockets).toHaveLength(2)
  })

  it('tries again after a failed ticket, and ends when the ticket is refused', async () => {
    const live = setUp()
    live.getTicket.mockRejectedValueOnce(new Error('network'))
    live.getTicket.mockRejectedValueOnce({ status: 503 })
    live.getTicket.mockRejectedValueOnce({ status: 401 })
    live.client.start()
    await live.wait(60_000)
    expect(live.getTicket).toHaveBeenCalledTimes(3)
    expect(live.client.state).toBe('stopped')
    expect(live.page.watched).toBe(false)
  })

  it('ends when access is taken away', async () => {
    const live = setUp()
    await live.goLive()
    live.socket().drop(4403)
    await live.wait(120_000)
    expect(live.sockets).toHaveLength(1)
    expect(live.client.state).toBe('stopped')
  })
})

describe('backing off', () => {
  it('doubles up to 30 seconds, scaled by chance', async () => {
    const delays: number[] = []
    let chance = 0.5
    const live = setUp({ random: () => chance })
    live.client.start()
    await live.wait(0)
    for (let failure = 0; failure < 9; failure += 1) {
      const count = live.sockets.length
      const from = Date.now()
      live.socket().drop()
      while (live.sockets.length === count) await live.wait(50)
      delays.push(Date.now() - from)
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
    chance = 0
    live.socket().drop()
    await live.wait(0)
    expect(live.sockets).toHaveLength(11)
  })

  it('starts anew after a connection that lasted, and not after one that did not', async () => {
    const live = setUp()
    await live.goLive()
    live.socket().drop()
    await live.wait(250)
    live.socket().frame('hello', 10, 10)
    await live.wait(9_999)
    live.socket().drop()
    await live.wait(499)
    expect(live.sockets).toHaveLength(2)
    await live.wait(1)
    live.socket().frame('hello', 10, 10)
    await live.wait(10_000)
    live.socket().drop()
    await live.wait(250)
    expect(live.sockets).toHaveLength(4)
  })

  it('waits long when the hub has too many sockets', async () => {
    const live = setUp()
    live.client.start()
    await live.wait(0)
    live.socket().drop(4429)
    await live.wait(22_499)
    expect(live.sockets).toHaveLength(1)
    await live.wait(1)
    expect(live.sockets).toHaveLength(2)
  })
})

describe('events', () => {
  it('are delivered in order and once, and resumed from after a loss', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().frame('metrics.updated', 12, 9)
    live.socket().frame('metrics.updated', 12, 9)
    live.socket().frame('job.updated', 15, 12)
    live.socket().drop()
    expect(live.client.state).toBe('reconnecting')
    await live.wait(250)
    expect(live.socket().url.searchParams.get('since')).toBe('15')
    live.socket().frame('hello', 17, 17)
    live.socket().frame('job.updated', 16, 15)
    live.socket().frame('job.updated', 17, 16)
    expect(live.seqs()).toEqual([12, 15, 16, 17])
    expect(live.client.lastSeq).toBe(17)
  })

  it('of a connection given up are not listened to', async () => {
    const live = setUp()
    await live.goLive(10)
    const old = live.socket()
    old.frame('job.updated', 13, 12)
    old.frame('job.updated', 14, 13)
    old.drop(1000)
    expect(live.seqs()).toEqual([])
    await live.wait(0)
    expect(live.sockets).toHaveLength(2)
  })

  it('with a gap before them make it resume at once, but not again and again', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().frame('metrics.updated', 11, 10)
    live.socket().frame('metrics.updated', 13, 12)
    expect(live.socket().closedWith).toBe(4000)
    await live.wait(0)
    expect(live.socket().url.searchParams.get('since')).toBe('11')
    live.socket().frame('hello', 13, 13)
    live.socket().frame('metrics.updated', 13, 12)
    await live.wait(499)
    expect(live.sockets).toHaveLength(2)
    await live.wait(1)
    expect(live.sockets).toHaveLength(3)
    expect(live.seqs()).toEqual([11])
  })

  it('before the hello are not trusted', async () => {
    const live = setUp()
    live.client.start()
    await live.wait(0)
    live.socket().frame('metrics.updated', 11, 10)
    expect(live.seqs()).toEqual([])
    expect(live.socket().closedWith).toBe(4000)
  })

  it('that are no frames are passed over', async () => {
    const live = setUp()
    await live.goLive(10)
    for (const message of ['{', 'null', '[]', '{"seq":1}', new ArrayBuffer(2), '"x"'])
      live.socket().text(message)
    live.socket().frame('metrics.updated', 11, 10)
    expect(live.seqs()).toEqual([11])
  })

  it('are not delivered once a callback has stopped the client', async () => {
    const live = setUp({ onEvent: () => live.client.stop() })
    await live.goLive(10)
    live.socket().frame('metrics.updated', 11)
    live.socket().frame('metrics.updated', 12)
    expect(live.client.lastSeq).toBe(11)
    expect(live.socket().closedWith).toBe(1000)
  })
})

describe('a resync', () => {
  it('moves on to the hub’s position', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().drop()
    await live.wait(250)
    live.socket().frame('hello', 5_000, 5_000)
    live.socket().frame('resync', 5_000, 5_000)
    live.socket().frame('metrics.updated', 5_001, 5_000)
    expect(live.resyncs).toEqual([5_000])
    expect(live.seqs()).toEqual([5_001])
  })

  it('follows from a hub that has started anew, once', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().drop()
    await live.wait(250)
    live.socket().frame('hello', 3, 3)
    live.socket().frame('resync', 3, 3)
    live.socket().frame('metrics.updated', 4, 2)
    expect(live.resyncs).toEqual([3])
    expect(live.seqs()).toEqual([4])
    expect(live.client.state).toBe('live')
  })
})

describe('what the client says', () => {
  it('pings every 25 seconds and bears with a pong within ten', async () => {
    const live = setUp()
    await live.goLive()
    await live.wait(25_000)
    expect(live.socket().sent).toEqual(['ping'])
    await live.wait(9_000)
    live.socket().text('pong')
    await live.wait(16_000)
    expect(live.socket().sent).toEqual(['ping', 'ping'])
    expect(live.client.state).toBe('live')
  })

  it('takes a missing pong for a dead connection', async () => {
    const live = setUp()
    await live.goLive(10)
    await live.wait(34_999)
    expect(live.client.state).toBe('live')
    await live.wait(1)
    expect(live.client.state).toBe('reconnecting')
    expect(live.socket().closedWith).toBe(4000)
    await live.wait(250)
    expect(live.socket().url.searchParams.get('since')).toBe('10')
  })

  it('acknowledges every 50 events, and what is left after five seconds', async () => {
    const live = setUp()
    await live.goLive(0)
    for (let seq = 1; seq <= 52; seq += 1) live.socket().frame('metrics.updated', seq)
    expect(live.socket().sent).toEqual(['{"ack":50}'])
    await live.wait(5_000)
    expect(live.socket().sent).toEqual(['{"ack":50}', '{"ack":52}'])
    await live.wait(15_000)
    expect(live.socket().sent).toHaveLength(2)
  })

  it('changes its types at once, and on every later connection', async () => {
    const live = setUp()
    await live.goLive()
    live.client.setTypes(['alerts'])
    expect(live.socket().sent).toEqual(['{"subscribe":["alerts"]}'])
    live.socket().drop()
    await live.wait(250)
    expect(live.socket().url.searchParams.get('types')).toBe('alerts')
    live.client.setTypes(['jobs'])
    expect(live.socket().sent).toEqual([])
    live.socket().frame('hello', 10, 10)
    expect(live.socket().sent).toEqual(['{"subscribe":["jobs"]}'])
  })
})

describe('a page', () => {
  it('that loses the network is offline, and back at once when it returns', async () => {
    const live = setUp()
    await live.goLive(10)
    live.page.online = false
    live.page.changed()
    expect(live.client.state).toBe('offline')
    expect(live.socket().closedWith).toBe(1000)
    await live.wait(120_000)
    expect(live.sockets).toHaveLength(1)
    live.page.online = true
    live.page.changed()
    expect(live.client.state).toBe('reconnecting')
    await live.wait(0)
    expect(live.socket().url.searchParams.get('since')).toBe('10')
  })

  it('that starts without a network waits for it', async () => {
    const live = setUp()
    live.page.online = false
    live.client.start()
    await live.wait(1_000)
    expect(live.client.state).toBe('offline')
    expect(live.getTicket).not.toHaveBeenCalled()
    live.page.online = true
    live.page.changed()
    await live.wait(0)
    expect(live.sockets).toHaveLength(1)
    expect(live.client.state).toBe('connecting')
  })

  it('that is hidden for five minutes goes quiet, and resumes when it is seen', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().answersPings = true
    live.page.hidden = true
    live.page.changed()
    await live.wait(4 * 60_000)
    live.page.changed()
    expect(live.client.state).toBe('live')
    await live.wait(60_000)
    expect(live.client.state).toBe('offline')
    await live.wait(600_000)
    expect(live.sockets).toHaveLength(1)
    live.page.hidden = false
    live.page.changed()
    await live.wait(0)
    expect(live.socket(1).url.searchParams.get('since')).toBe('10')
  })

  it('that is hidden for a moment notices nothing', async () => {
    const live = setUp()
    await live.goLive(10)
    live.page.hidden = true
    live.page.changed()
    await live.wait(20_000)
    live.page.hidden = false
    live.page.changed()
    live.socket().answersPings = true
    await live.wait(400_000)
    expect(live.client.state).toBe('live')
    expect(live.sockets).toHaveLength(1)
  })

  it('that stops the client leaves nothing behind, and can start it again', async () => {
    const live = setUp()
    await live.goLive(10)
    live.socket().frame('metrics.updated', 11)
    live.client.stop()
    expect(live.client.state).toBe('stopped')
    expect(vi.getTimerCount()).toBe(0)
    expect(live.page.watched).toBe(false)
    live.client.start()
    await live.wait(0)
    expect(live.socket().url.searchParams.get('since')).toBe('11')
  })
})
