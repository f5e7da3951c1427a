import { LRUCache } from 'lru-cache'
import { blobCidOf, cidOf } from './identity.ts'
import { findSpans, type RichTextSpan } from './rich-text.ts'
import type { Media, PostView } from './types.ts'
import type { World } from './world.ts'

/** A post as its author's repository holds it (the `record` of a post view). */

export const ASPECT_RATIO = { width: 1600, height: 1200 }
/** More pictures than this do not fit the older embed and go into a gallery. */
const MAX_EMBEDDED_IMAGES = 4
const KEPT = 20_000

export interface StrongRef {
  uri: string
  cid: string
}

/** What never changes about a post on Bluesky, where nothing can be edited: made once and kept. */
export interface Records {
  /** The record; of the references in it, all can be resolved. */
  record(post: PostView): object
  /** The content id of the record. */
  cid(post: PostView): string
  /** The content id of the n-th blob. */
  blobCid(post: PostView, index: number): string
  /** URI and content id of a post, whether or not it can still be read. */
  ref(id: string, t: number): StrongRef | undefined
}

/** Remembers the records of the posts that were asked for last. */
export function createRecords(world: World): Records {
  const texts = new LRUCache<string, string>({ max: KEPT })
  const kept = new LRUCache<string, object>({ max: KEPT })

  const remembered = (key: string, make: () => string): string => {
    let text = texts.get(key)
    if (text === undefined) {
      text = make()
      texts.set(key, text)
    }
    return text
  }

  const records: Records = {
    record: (post) => {
      let record = kept.get(post.id)
      if (!record) {
        record = recordOf(world, records, post)
        kept.set(post.id, record)
      }
      return record
    },
    cid: (post) => remembered(post.id, () => cidOf(post.id, post.text)),
    blobCid: (post, index) => remembered(`${post.id}#${index}`, () => blobCidOf(post.id, String(index))),
    ref: (id, t) => {
      const post = world.post('bluesky', id, t)
      return post && { uri: post.id, cid: records.cid(post) }
    },
  }
  return records
}

/** Whether the pictures need `app.bsky.embed.gallery`. */
export function isGallery(media: Extract<Media, { type: 'images' }>): boolean {
  return media.alts.length > MAX_EMBEDDED_IMAGES
}

function recordOf(world: World, records: Records, post: PostView): object {
  const t = post.indexedAt
  const facets = facetsOf(world, post.text, t)
  const embed = embedOf(records, post, t)
  const parent = post.replyToId === undefined ? undefined : records.ref(post.replyToId, t)
  return {
    $type: 'app.bsky.feed.post',
    text: post.text,
    createdAt: new Date(post.declaredAt).toISOString(),
    langs: [post.language],
    ...(facets.length > 0 && { facets }),
    ...(post.extraTags.length > 0 && { tags: post.extraTags }),
    // Only top-level posts are answered here, so the parent is the root.
    ...(parent && { reply: { root: parent, parent } }),
    ...(embed && { embed }),
  }
}

/** Tags, links and mentions of a text; positions count UTF-8 bytes, not string units. */
function facetsOf(world: World, text: string, t: number): object[] {
  return findSpans(text).flatMap((span) => {
    const byteStart = Buffer.byteLength(text.slice(0, span.start))
    const byteEnd = byteStart + Buffer.byteLength(text.slice(span.start, span.end))
    const feature = featureOf(world, span, t)
    return feature ? [{ index: { byteStart, byteEnd }, features: [feature] }] : []
  })
}

function featureOf(world: World, span: RichTextSpan, t: number): object | undefined {
  switch (span.type) {
    case 'tag':
      return { $type: 'app.bsky.richtext.facet#tag', tag: span.value }
    case 'link':
      return { $type: 'app.bsky.richtext.facet#link', uri: span.value }
    case 'mention': {
      // Old texts keep the handle of their day; the facet names who was meant.
      const named =
        world.account('bluesky', span.value, t) ?? world.account('bluesky', span.value, world.epoch)
      return named && { $type: 'app.bsky.richtext.facet#mention', did: named.id }
    }
  }
}

function embedOf(records: Records, post: PostView, t: number): object | undefined {
  const media = post.media && mediaRecord(records, post, post.media)
  const quoted = post.quotedId === undefined ? undefined : records.ref(post.quotedId, t)
  if (!quoted) return media
  const record = { $type: 'app.bsky.embed.record', record: quoted }
  return media ? { $type: 'app.bsky.embed.recordWithMedia', record, media } : record
}

function mediaRecord(records: Records, post: PostView, media: Media): object | undefined {
  switch (media.type) {
    case 'images': {
      const images = media.alts.map((alt, index) => ({
        alt,
        image: blob(records.blobCid(post, index), 'image/jpeg', 240_000),
        aspectRatio: ASPECT_RATIO,
      }))
      if (!isGallery(media)) return { $type: 'app.bsky.embed.images', images }
      const items = images.map((image) => ({ $type: 'app.bsky.embed.gallery#image', ...image }))
      return { $type: 'app.bsky.embed.gallery', items }
    }
    case 'video':
      return {
        $type: 'app.bsky.embed.video',
        video: blob(records.blobCid(post, 0), 'video/mp4', 4_200_000),
        alt: media.alt,
        aspectRatio: ASPECT_RATIO,
        ...(media.isGif && { presentation: 'gif' }),
      }
    case 'link':
      return {
        $type: 'app.bsky.embed.external',
        external: {
          uri: media.url,
          title: media.title,
          description: media.description,
          thumb: blob(records.blobCid(post, 0), 'image/jpeg', 90_000),
        },
      }
    case 'audio':
    case 'poll':
      return undefined
  }
}

function blob(cid: string, mimeType: string, sizeBytes: number): object {
  return { $type: 'blob', ref: { $link: cid }, mimeType, size: sizeBytes }
}
