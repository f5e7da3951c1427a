import type { Paged } from '../state/paged.ts'

/** The way to the next page of a list; nothing at its end. */
export function LoadMore({
  list,
  what,
}: {
  list: Pick<Paged<unknown>, 'hasMore' | 'moreError' | 'loadingMore' | 'loadMore'>
  what: string
}) {
  if (!list.hasMore) return null
  return (
    <div class="more">
      {list.moreError !== null && (
        <p class="form-error" role="alert">
          {list.moreError.message}
        </p>
      )}
      <button
        type="button"
        class="button"
        aria-disabled={list.loadingMore}
        onClick={() => void list.loadMore()}
      >
        {list.loadingMore && <span class="spinner" aria-hidden="true" />}
        {list.loadingMore ? 'Loading…' : `Load more ${what}`}
      </button>
    </div>
  )
}
