import {
  isFiltered,
  NO_POST_FILTERS,
  type PostFilters,
  parsePostFilters,
  postQuery,
} from '../../domain/post-filters.ts'
import { plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { replaceSearch, useLocation } from '../../state/router.tsx'
import { PostsIcon } from '../../ui/icons.tsx'
import { LoadMore } from '../../ui/load-more.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { Welcome } from '../overview/welcome.tsx'
import { PostFilterBar } from './post-filter-bar.tsx'
import { PostsTable } from './posts-table.tsx'
import { usePostList } from './use-post-list.ts'

function NoPosts({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  return (
    <EmptyState
      icon={<PostsIcon size={28} />}
      title={filtered ? 'No post matches these filters.' : 'No posts yet.'}
    >
      {filtered ? (
        <button type="button" class="button" onClick={clear}>
          Show all posts
        </button>
      ) : (
        <p class="quiet">They appear by themselves as soon as the accounts have been read.</p>
      )}
    </EmptyState>
  )
}

/** Every post of the workspace, sorted and filtered. */
export function PostsPage() {
  const { search } = useLocation()
  const accounts = useAccounts()
  const filters = parsePostFilters(search)
  const list = usePostList(filters)
  const change = (part: Partial<PostFilters>) => replaceSearch(postQuery({ ...filters, ...part }))
  const clear = () => change({ ...NO_POST_FILTERS, sort: filters.sort })

  if (accounts.data?.length === 0)
    return (
      <Page title="Posts">
        <Welcome />
      </Page>
    )
  return (
    <Page title="Posts">
      <PostFilterBar filters={filters} change={change} accounts={accounts.data ?? []} clear={clear} />
      {list.items !== undefined && list.error !== undefined && (
        <Banner tone="bad">The list could not be refreshed. {list.error.message}</Banner>
      )}
      <section
        class={`panel panel-flush ${list.outdated ? 'is-busy' : ''}`}
        aria-label="Posts"
        aria-busy={list.outdated}
      >
        {list.items === undefined ? (
          list.error === undefined ? (
            <SkeletonRows count={8} class="skeleton-post" />
          ) : (
            <ErrorState error={list.error} retry={() => void list.reload()} />
          )
        ) : list.items.length === 0 ? (
          <NoPosts filtered={isFiltered(filters)} clear={clear} />
        ) : (
          <>
            <p class="visually-hidden" role="status">
              {plural(list.items.length, 'post')} shown{list.hasMore ? ', more can be loaded' : ''}
            </p>
            <PostsTable posts={list.items} sort={filters.sort} onSort={(sort) => change({ sort })} />
            <LoadMore list={list} what="posts" />
          </>
        )}
      </section>
    </Page>
  )
}
