import type { World } from './world.ts'

/** What a Mastodon server says of itself. */

const VERSION = '4.5.3'

/** `GET /api/v2/instance`. */
export function instanceDocument(world: World, host: string, t: number): object {
  const active = world.accounts('mastodon').filter((account) => world.namesAt(account, t).status === 'active')
  return {
    domain: host,
    title: 'Harbour Town Social',
    version: VERSION,
    source_url: 'https://github.com/mastodon/mastodon',
    description: 'A small server for a small town.',
    usage: { users: { active_month: active.length } },
    thumbnail: { url: `http://${host}/media/thumbnail.svg` },
    languages: ['en'],
    configuration: {
      urls: { streaming: `ws://${host}` },
      accounts: { max_featured_tags: 10, max_pinned_statuses: 5 },
      statuses: { max_characters: 500, max_media_attachments: 4, characters_reserved_per_url: 23 },
      polls: {
        max_options: 4,
        max_characters_per_option: 50,
        min_expiration: 300,
        max_expiration: 2_629_746,
      },
      translation: { enabled: false },
    },
    registrations: { enabled: false, approval_required: false, message: null, url: null },
    api_versions: { mastodon: 7 },
    contact: { email: 'admin@example.social', account: null },
    rules: [{ id: '1', text: 'Be kind.', hint: '' }],
  }
}

/** The two NodeInfo documents. */
export function nodeInfoDocument(path: string, origin: string): object {
  if (path === '/.well-known/nodeinfo') {
    return {
      links: [{ rel: 'http://nodeinfo.diaspora.software/ns/schema/2.0', href: `${origin}/nodeinfo/2.0` }],
    }
  }
  return {
    version: '2.0',
    software: { name: 'mastodon', version: VERSION },
    protocols: ['activitypub'],
    services: { outbound: [], inbound: [] },
    usage: { users: {} },
    openRegistrations: false,
    metadata: {},
  }
}

/** The JRD that WebFinger answers for one user. */
export function webFingerDocument(username: string, host: string, origin: string): object {
  return {
    subject: `acct:${username}@${host}`,
    aliases: [`${origin}/@${username}`, `${origin}/users/${username}`],
    links: [
      { rel: 'http://webfinger.net/rel/profile-page', type: 'text/html', href: `${origin}/@${username}` },
      { rel: 'self', type: 'application/activity+json', href: `${origin}/users/${username}` },
    ],
  }
}
