import * as z from 'zod'
import type { PlatformConnector } from '../../ports.ts'
import {
  EXTRA_MEDIA_FIELDS,
  MEDIA_FIELDS,
  PROFILE_FIELDS,
  readInstagramMedia,
  readInstagramProfile,
} from './instagram-media.ts'
import { createMetaConnector, type MetaNetwork, type MetaOptions } from './meta-connector.ts'

const Page = z.object({ instagram_business_account: z.unknown().optional() })

const INSTAGRAM: MetaNetwork = {
  platform: 'instagram',
  who: 'Instagram',
  limit: 'instagram.account',
  bareName: /^[\w.]{1,30}$/u,
  hint: 'An Instagram account is named like adacharts, or by its profile address.',
  invitation:
    'Instagram accounts are connected by signing in with Facebook. They must be professional ones, linked to a page.',
  profileFields: PROFILE_FIELDS,
  readProfile: readInstagramProfile,
  edge: 'media',
  fields: MEDIA_FIELDS,
  extraFields: EXTRA_MEDIA_FIELDS,
  isPostId: /^\d{1,30}$/u,
  readPost: readInstagramMedia,
  neededScopes: ['instagram_basic', 'pages_show_list', 'pages_read_engagement'],
  wantedScopes: ['instagram_manage_insights'],
  pageFields: `instagram_business_account{${PROFILE_FIELDS}}`,
  readPageAccount(page) {
    const { instagram_business_account: account } = Page.parse(page)
    return account === undefined || account === null ? null : readInstagramProfile(account)
  },
}

/** Reads professional accounts of Instagram, by the token of the page of Facebook that each is linked to. */
export function createInstagramConnector(options: MetaOptions): PlatformConnector {
  return createMetaConnector(INSTAGRAM, options)
}
