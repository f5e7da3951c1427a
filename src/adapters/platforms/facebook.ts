import type { PlatformConnector } from '../../ports.ts'
import {
  EXTRA_POST_FIELDS,
  PAGE_FIELDS,
  POST_FIELDS,
  readFacebookPage,
  readFacebookPost,
} from './facebook-post.ts'
import { createMetaConnector, type MetaNetwork, type MetaOptions } from './meta-connector.ts'

const FACEBOOK: MetaNetwork = {
  platform: 'facebook',
  who: 'Facebook',
  limit: 'facebook.page',
  bareName: /^[\p{L}\p{N}.-]{1,100}$/u,
  hint: 'A Facebook page is named like adacharts, by its id, or by its address.',
  invitation: 'Facebook pages are connected by signing in with an account that has a role on the page.',
  profileFields: PAGE_FIELDS,
  readProfile: readFacebookPage,
  edge: 'published_posts',
  fields: POST_FIELDS,
  extraFields: EXTRA_POST_FIELDS,
  isPostId: /^\d{1,30}_\d{1,30}$/u,
  readPost: readFacebookPost,
  neededScopes: ['pages_show_list', 'pages_read_engagement'],
  wantedScopes: ['pages_read_user_content', 'read_insights'],
  pageFields: PAGE_FIELDS,
  readPageAccount: readFacebookPage,
}

/** Reads pages of Facebook, by the token of each. */
export function createFacebookConnector(options: MetaOptions): PlatformConnector {
  return createMetaConnector(FACEBOOK, options)
}
