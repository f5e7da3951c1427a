import { createRandom, elementAt, hash32 } from './random.ts'

/** A hashtag that surges across accounts for some hours. */
export interface Trend {
  /** Constant name for the randomness of those who join in. */
  id: string
  /** The tag, in the spellings that people use; the first is the commonest. */
  spellings: readonly [string, ...string[]]
  lines: readonly string[]
  language: string
  startAt: number
  endAt: number
}

const HOUR_MS = 3_600_000
/** At most one trend begins in each slot. */
const SLOT_MS = 12 * HOUR_MS
const TREND_CHANCE_PER_SLOT = 0.5
const LONGEST_TREND_HOURS = 9

type TrendTopic = Pick<Trend, 'spellings' | 'lines' | 'language'>

/** `{tag}` is the hashtag, `{subject}` a noun phrase of the author's own topic. */
const TOPICS: readonly TrendTopic[] = [
  topic(
    ['FirstFrost', 'firstfrost', 'FIRSTFROST'],
    [
      '{tag} on the windows this morning.',
      'Nothing says {tag} like {subject}.',
      'Our {tag} picture, taken at dawn.',
    ],
  ),
  topic(
    ['NightTrainDay', 'nighttrainday'],
    [
      'Happy {tag}! Where would you wake up tomorrow?',
      '{tag} and {subject}: a perfect evening.',
      'We vote for more sleepers. {tag}',
    ],
  ),
  topic(
    ['ShowYourDesk', 'showyourdesk'],
    [
      '{tag}, unfiltered: {subject} takes up half of it.',
      'You asked for {tag}. We are not proud.',
      'Before tidying, after tidying. {tag}',
    ],
  ),
  topic(
    ['MeteorWatch', 'meteorwatch'],
    [
      'Counted nine in an hour. {tag}',
      '{tag} from the roof, and the clouds are holding off.',
      'Who else is awake? {tag}',
    ],
  ),
  topic(
    ['OpenArchiveWeek', 'openarchiveweek'],
    [
      'For {tag} we dug out {subject}.',
      '{tag}: everything we publish today is free to reuse.',
      'Ask us anything for {tag}.',
    ],
  ),
  topic(
    ['StormMarta', 'stormmarta', 'STORMMARTA'],
    [
      '{tag}: we are open, the awning is not.',
      'Stay safe out there. {tag}',
      'The wind took {subject}. {tag}',
    ],
  ),
  topic(
    ['LibraryLove', 'librarylove'],
    [
      'A public library taught us about {subject}. {tag}',
      '{tag} to every branch that stays open late.',
      'Overdue since 1998. {tag}',
    ],
  ),
  topic(
    ['RepairFriday', 'repairfriday'],
    ['{tag}: it works again!', 'Do not throw it away, it is {tag}.', 'Our {tag} project: {subject}.'],
  ),
  topic(
    ['桜前線', '桜'],
    ['今年も来ました。{tag}', '{tag} とともに、春の始まり。', '窓から見えました {tag}'],
    'ja',
  ),
  topic(
    ['NuitBlanche', 'nuitblanche'],
    ['{tag} : les portes restent ouvertes.', 'Rendez-vous à minuit pour {tag}.', 'Dormir ? Plus tard. {tag}'],
    'fr',
  ),
  topic(
    ['BlueMoon', 'bluemoon'],
    [
      'Look up: {tag}!',
      '{tag} over the rooftops, shaky hands, no tripod.',
      'Once in a {tag} we do {subject}.',
    ],
  ),
  topic(
    ['DíaDelLibro', 'DiaDelLibro'],
    ['Hoy regalamos un libro. {tag}', '{tag}: ¿qué estáis leyendo?', 'Una rosa y un libro. {tag}'],
    'es',
  ),
  topic(
    ['KettleClub', 'kettleclub'],
    ['Kettle on. {tag}', '{tag}, and a biscuit for everyone.', 'We said coffee, the crowd says {tag}.'],
  ),
  topic(
    ['PowerCutBingo', 'powercutbingo'],
    [
      'Candles found, matches missing. {tag}',
      '{tag}: {subject} by torchlight.',
      'Back on after forty minutes. {tag}',
    ],
  ),
]

function topic(spellings: Trend['spellings'], lines: readonly string[], language = 'en'): TrendTopic {
  return { spellings, lines, language }
}

/** The trends that are running at some moment of [fromMs, toMs), in order of their beginning. */
export type Trends = (fromMs: number, toMs: number) => Trend[]

/** The trends of a world; each is drawn once. */
export function createTrends(seed: string): Trends {
  const known = new Map<number, Trend | null>()
  const ofSlot = (slot: number): Trend | null => {
    let trend = known.get(slot)
    if (trend === undefined) {
      trend = trendOfSlot(seed, slot) ?? null
      known.set(slot, trend)
    }
    return trend
  }
  return (fromMs, toMs) => {
    const firstSlot = Math.floor((fromMs - LONGEST_TREND_HOURS * HOUR_MS) / SLOT_MS)
    const lastSlot = Math.floor(toMs / SLOT_MS)
    const trends: Trend[] = []
    for (let slot = firstSlot; slot <= lastSlot; slot += 1) {
      const trend = ofSlot(slot)
      if (trend && trend.startAt < toMs && trend.endAt > fromMs) trends.push(trend)
    }
    return trends
  }
}

function trendOfSlot(seed: string, slot: number): Trend | undefined {
  const random = createRandom(seed, 'trend', slot)
  if (!random.chance(TREND_CHANCE_PER_SLOT)) return undefined
  const startAt = slot * SLOT_MS + Math.floor(random.next() * SLOT_MS)
  const hours = 3 + random.next() * (LONGEST_TREND_HOURS - 3)
  return {
    id: `trend-${slot}`,
    ...topicOfSlot(seed, slot),
    startAt,
    endAt: startAt + Math.round(hours * HOUR_MS),
  }
}

/** Every topic once per round of slots, so that what is trending was quiet before. */
function topicOfSlot(seed: string, slot: number): TrendTopic {
  const round = Math.floor(slot / TOPICS.length)
  const order = TOPICS.map((topic, index) => ({ topic, rank: hash32(seed, 'round', round, index) }))
  order.sort((a, b) => a.rank - b.rank)
  return elementAt(order, slot - round * TOPICS.length).topic
}
