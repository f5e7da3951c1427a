/** The figures of a single post, in the order in which they are shown. */
export const POST_METRIC_NAMES = [
  'engagements',
  'likes',
  'comments',
  'shares',
  'quotes',
  'saves',
  'views',
  'impressions',
  'reach',
] as const
export type PostMetricName = (typeof POST_METRIC_NAMES)[number]
