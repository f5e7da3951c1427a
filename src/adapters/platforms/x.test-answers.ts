import type { Schemas } from '@xdevplatform/xdk'
import type { Wire } from './test-wire.ts'

/**
 * For the tests of connectors: answers of X. Its SDK types them in the spelling of posts, and in camel case
 * where the wire has underscores; for the spelling of tweets there are no types.
 */

export const USER_ID = '1234567890123456789'

export function user(changes: Wire<Schemas.User> = {}) {
  return {
    id: USER_ID,
    name: 'Ada',
    username: 'adacharts',
    protected: false,
    profile_image_url: 'https://pbs.twimg.com/profile_images/1/a_normal.jpg',
    public_metrics: {
      followers_count: 8400,
      following_count: 300,
      post_count: 5120,
      listed_count: 41,
      like_count: 2200,
      media_count: 640,
    },
    ...changes,
  } satisfies Wire<Schemas.User>
}

export function post(id: string, changes: Wire<Schemas.Post> = {}) {
  return {
    id,
    text: 'Fresh numbers #dataviz',
    created_at: '2026-11-20T09:00:00.000Z',
    edit_history_post_ids: [id],
    entities: { hashtags: [{ start: 14, end: 22, tag: 'dataviz' }] },
    public_metrics: {
      repost_count: 14,
      reply_count: 3,
      like_count: 120,
      quote_count: 2,
      bookmark_count: 18,
      impression_count: 9400,
    },
    ...changes,
  } satisfies Wire<Schemas.Post>
}

export function postsPage(
  data: Wire<Schemas.Post>[],
  changes: Omit<Wire<Schemas.GetUsersPostsResponse>, 'data'> = {},
) {
  return {
    data,
    meta: { result_count: data.length },
    ...changes,
  } satisfies Wire<Schemas.GetUsersPostsResponse>
}

export function notFound(id: string, resource: 'user' | 'post', parameter = 'ids') {
  return {
    value: id,
    detail: `Could not find ${resource} with ${parameter}: [${id}].`,
    title: 'Not Found Error',
    resource_type: resource,
    parameter,
    resource_id: id,
    type: 'https://api.x.com/2/problems/resource-not-found',
  } satisfies Wire<Schemas.ResourceNotFoundProblem>
}

export function suspended(id: string) {
  return { ...notFound(id, 'user', 'id'), title: 'Forbidden', detail: `User has been suspended: [${id}].` }
}

export function notAuthorized(id: string, resource: 'user' | 'post') {
  return {
    value: id,
    detail: `Sorry, you are not authorized to see the ${resource} with id: [${id}].`,
    title: 'Authorization Error',
    resource_type: resource,
    section: 'data',
    parameter: 'id',
    resource_id: id,
    type: 'https://api.x.com/2/problems/not-authorized-for-resource',
  } satisfies Wire<Schemas.NotAuthorizedForResourceProblem>
}

/** A problem in place of an answer. Its address stands under the old host here, as it did for years. */
export function problem(
  status: number,
  type: string,
  title: string,
  headers: Record<string, string> = {},
): Response {
  const address = type.includes(':') ? type : `https://api.twitter.com/2/problems/${type}`
  return Response.json({ title, detail: title, type: address, status }, { status, headers })
}

/** A parameter that X does not know under this name. */
export function misspelt(parameter: string): Response {
  const message = `The query parameter [${parameter}] is not one of [expansions,ids,media.fields]`
  const body = {
    errors: [{ parameters: { [parameter]: ['created_at'] }, message }],
    title: 'Invalid Request',
    detail: 'One or more parameters to your request was invalid.',
    type: 'https://api.x.com/2/problems/invalid-request',
  } satisfies Wire<Schemas.InvalidRequestProblem> & { errors: object[] }
  return Response.json(body, { status: 400 })
}
