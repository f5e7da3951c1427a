/**
 * Keeps a page connected to its workspace's live events: every event once and in order, across lost
 * connections, or word that the page must fetch anew.
 */
import { browserEnvironment, type LiveEnvironment } from './environment.ts'
import {
  CLOSE_ABANDONED,
  CLOSE_NO_ACCESS,
  CLOSE_TOO_MANY_SOCKETS,
  type LiveFrame,
  PING,
  PONG,
  parseFrame,
} from './frames.ts'
import { createPosition } from './position.ts'

/**
 * `connecting` until the first success, `reconnecting` between a loss and the next one, `offline` while the
 * network is away or nobody looks, `stopped` by the page or because access ended.
 */
export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'stopped'

/** The part of a WebSocket that is used. */
export interface LiveSocket {
  readonly readyState: number
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
  addEventListener(type: 'error', listener: () => void): void
  send(text: string): void
  close(code?: number, reason?: string): void
}

export interface HubPosition {
  seq: number
  generation: number
}

export interface LiveClientOptions {
  /**
   * Fetches a fresh ticket; called before every attempt. A rejection with a `status` of 401 or 403 ends
   * the client, any other is tried again.
   */
  getTicket(): Promise<{ url: string }>
  onEvent(event: LiveFrame): void
  /** Events were missed for good: whatever the page shows must be fetched anew. */
  onResync(position: HubPosition): void
  onStateChange?(state: LiveState): void
  /** After every connection: a generation above the page's own tells that it missed a change. */
  onHello?(position: HubPosition): void
  /** The topics wanted at first, e.g. `metrics`; all when left out. */
  types?: readonly string[]
  WebSocketImpl?: new (url: string) => LiveSocket
  environment?: LiveEnvironment
  /** From 0 up to but not including 1. */
  random?(): number
  /** Milliseconds; only differences count. */
  now?(): number
  setTimeout?(callback: () => void, delayMs: number): unknown
  clearTimeout?(timer: unknown): void
}

export interface LiveClient {
  readonly state: LiveState
  /** The last sequence number that is accounted for; `null` before the first connection. */
  readonly lastSeq: number | null
  start(): void
  stop(): void
  /** Changes the topics wanted, now and after every reconnection. */
  setTypes(types: readonly string[]): void
}

const BACKOFF_BASE_MS = 500
const BACKOFF_CAP_MS = 30_000
/** A connection that lived this long was a good one: its loss starts the back-off anew. */
const STABLE_AFTER_MS = 10_000
/** From asking for a ticket to the hub's hello. */
const CONNECT_TIMEOUT_MS = 20_000
const PING_INTERVAL_MS = 25_000
const PONG_TIMEOUT_MS = 10_000
const ACK_EVERY_EVENTS = 50
const ACK_DELAY_MS = 5_000
const QUIET_AFTER_HIDDEN_MS = 5 * 60_000
const OPEN = 1

type TimerName = 'retry' | 'connect' | 'ping' | 'pong' | 'ack' | 'hidden'
const CONNECTION_TIMERS: readonly TimerName[] = ['retry', 'connect', 'ping', 'pong', 'ack']

/** Makes a client that does nothing until it is started; a stopped one can be started again. */
export function createLiveClient(options: LiveClientOptions): LiveClient {
  const environment = options.environment ?? browserEnvironment()
  const WebSocketImpl = options.WebSocketImpl ?? WebSocket
  const random = options.random ?? Math.random
  const now = options.now ?? (() => performance.now())
  const startTimer = options.setTimeout ?? ((callback, delayMs) => setTimeout(callback, delayMs))
  const endTimer = options.clearTimeout ?? ((timer) => clearTimeout(timer as number))

  const position = createPosition()
  const timers = new Map<TimerName, unknown>()
  let types = options.types
  let state: LiveState = 'stopped'
  let socket: LiveSocket | null = null
  /** Raised with every attempt and every loss: whatever belongs to an older one is not listened to. */
  let epoch = 0
  /** From asking for a ticket until the connection is lost. */
  let underWay = false
  /** What the hub was last told to send. */
  let requestedTypes: readonly string[] | undefined
  let failures = 0
  let liveAtMs: number | null = null
  let unacknowledged = 0
  let stopWatching: (() => void) | null = null

  function setTimer(name: TimerName, delayMs: number, callback: () => void): void {
    clearTimer(name)
    timers.set(
      name,
      startTimer(() => {
        timers.delete(name)
        callback()
      }, delayMs),
    )
  }

  function clearTimer(name: TimerName): void {
    if (!timers.has(name)) return
    endTimer(timers.get(name))
    timers.delete(name)
  }

  function setState(next: LiveState): void {
    if (state === next) return
    state = next
    options.onStateChange?.(next)
  }

  function showAttempt(): void {
    setState(position.lastSeq === null ? 'connecting' : 'reconnecting')
  }

  /** Gives up what is under way, whatever it is. */
  function abandon(code: number): void {
    epoch += 1
    underWay = false
    for (const name of CONNECTION_TIMERS) clearTimer(name)
    const abandoned = socket
    socket = null
    abandoned?.close(code)
  }

  function connect(): void {
    abandon(CLOSE_ABANDONED)
    const attempt = epoch
    underWay = true
    liveAtMs = null
    setTimer('connect', CONNECT_TIMEOUT_MS, () => lost(0))
    options.getTicket().then(
      ({ url }) => {
        if (attempt === epoch) open(url, attempt)
      },
      (error: unknown) => {
        if (attempt !== epoch) return
        if (isFinal(error)) stop()
        else lost(0)
      },
    )
  }

  function open(ticketUrl: string, attempt: number): void {
    let opened: LiveSocket
    requestedTypes = types
    try {
      opened = new WebSocketImpl(addressOf(ticketUrl, position.lastSeq, types))
    } catch {
      lost(0)
      return
    }
    socket = opened
    position.reconnected()
    opened.addEventListener('message', (event) => {
      if (attempt === epoch) receive(event.data)
    })
    opened.addEventListener('close', (event) => {
      if (attempt === epoch) lost(event.code)
    })
    opened.addEventListener('error', () => {
      if (attempt === epoch) lost(0)
    })
  }

  /** After a connection (or the attempt at one) failed: tries again, unless the hub said not to. */
  function lost(code: number, isGap = false): void {
    if (liveAtMs !== null && now() - liveAtMs >= STABLE_AFTER_MS) failures = 0
    abandon(CLOSE_ABANDONED)
    if (code === CLOSE_NO_ACCESS) {
      stop()
      return
    }
    const delayMs = retryDelayMs(code, isGap)
    failures += 1
    setTimer('retry', delayMs, connect)
    showAttempt()
  }

  function retryDelayMs(code: number, isGap: boolean): number {
    if (code === CLOSE_TOO_MANY_SOCKETS) return BACKOFF_CAP_MS * (0.5 + random() / 2)
    // One gap is mended at once; a connection that makes nothing but gaps is not.
    if (isGap && failures === 0) return 0
    return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 16))
  }

  function receive(message: unknown): void {
    // Whatever arrives shows that the connection lives.
    clearTimer('pong')
    if (message === PONG) return
    const frame = parseFrame(message)
    if (frame === null) return
    const meaning = position.take(frame)
    if (meaning === 'gap') {
      lost(0, true)
      return
    }
    if (meaning === 'duplicate') return
    const at = { seq: frame.seq, generation: frame.generation }
    const attempt = epoch
    if (frame.type === 'hello') {
      greeted()
      if (attempt === epoch) options.onHello?.(at)
    }
    // The page may have stopped the client from within a callback.
    if (attempt !== epoch) return
    if (meaning === 'next' || meaning === 'resync') countForAck()
    if (meaning === 'next') options.onEvent(frame)
    if (meaning === 'resync') options.onResync(at)
  }

  function greeted(): void {
    clearTimer('connect')
    liveAtMs = now()
    unacknowledged = 0
    setTimer('ping', PING_INTERVAL_MS, ping)
    if (types !== requestedTypes) subscribe()
    setState('live')
  }

  function ping(): void {
    setTimer('pong', PONG_TIMEOUT_MS, () => lost(0))
    send(PING)
    setTimer('ping', PING_INTERVAL_MS, ping)
  }

  function subscribe(): void {
    requestedTypes = types
    send(JSON.stringify({ subscribe: types }))
  }

  function countForAck(): void {
    unacknowledged += 1
    if (unacknowledged >= ACK_EVERY_EVENTS) acknowledge()
    else if (!timers.has('ack')) setTimer('ack', ACK_DELAY_MS, acknowledge)
  }

  function acknowledge(): void {
    clearTimer('ack')
    unacknowledged = 0
    send(JSON.stringify({ ack: position.lastSeq }))
  }

  function send(text: string): void {
    if (socket?.readyState === OPEN) socket.send(text)
  }

  /** Acts on what the page is now: out of sight, out of reach, or back. */
  function look(): void {
    if (!environment.isOnline()) {
      clearTimer('hidden')
      goQuiet()
    } else if (environment.isHidden()) {
      if (state !== 'offline' && !timers.has('hidden')) setTimer('hidden', QUIET_AFTER_HIDDEN_MS, goQuiet)
    } else {
      clearTimer('hidden')
      if (underWay) return
      failures = 0
      showAttempt()
      connect()
    }
  }

  function goQuiet(): void {
    abandon(1000)
    setState('offline')
  }

  function stop(): void {
    stopWatching?.()
    stopWatching = null
    clearTimer('hidden')
    abandon(1000)
    setState('stopped')
  }

  return {
    get state() {
      return state
    },
    get lastSeq() {
      return position.lastSeq
    },
    start() {
      if (state !== 'stopped') return
      failures = 0
      stopWatching = environment.onChange(look)
      showAttempt()
      if (environment.isOnline()) connect()
      look()
    },
    stop,
    setTypes(wanted) {
      types = [...wanted]
      if (state === 'live') subscribe()
    },
  }
}

/** The ticket's address with what the hub is to replay and to send. */
function addressOf(ticketUrl: string, since: number | null, types: readonly string[] | undefined): string {
  const url = new URL(ticketUrl, globalThis.location?.href)
  url.protocol = url.protocol.replace('http', 'ws')
  if (since !== null) url.searchParams.set('since', String(since))
  if (types !== undefined) url.searchParams.set('types', types.join(','))
  return url.href
}

/** Whether a ticket was refused in a way that asking again does not change. */
function isFinal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('status' in error)) return false
  return error.status === 401 || error.status === 403
}
