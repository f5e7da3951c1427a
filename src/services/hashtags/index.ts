export {
  computePublicTrending,
  computeTrending,
  PUBLIC_GENERATION,
  type PublicTrendingInput,
  type TrendingInput,
} from './compute-trending.ts'
export { getHashtagCourse, getPublicHashtagCourse } from './get-hashtag-course.ts'
export { getTrendingHashtags } from './get-trending-hashtags.ts'
export { planTrending } from './plan-trending.ts'
export { type RefreshTrendingResult, refreshTrending } from './refresh-trending.ts'
