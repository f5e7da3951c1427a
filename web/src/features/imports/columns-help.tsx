const COLUMNS: readonly [name: string, what: string][] = [
  ['post_id', "The platform's own id of the post. Required."],
  ['posted_at', 'When it was published, such as 2026-11-22T14:03:00Z. Required.'],
  ['text', 'What it says; hashtags are found in it.'],
  ['permalink', 'Its address.'],
  ['kind', 'post, reply, quote or repost; post where it is left out.'],
  ['media_type', 'image, video, link …'],
  ['likes, comments, shares, quotes, saves', 'Engagement, as whole numbers.'],
  ['views, impressions, reach', 'How far it got.'],
  ['metrics_at', 'When these figures were read.'],
  ['account', 'The handle, where a file holds posts of several accounts.'],
]

/** What a file may hold. */
export function ColumnsHelp() {
  return (
    <section class="panel" aria-labelledby="columns-heading">
      <header class="panel-head">
        <h2 id="columns-heading">What the file may hold</h2>
      </header>
      <p class="quiet">
        Columns in any order; others are ignored. An empty cell is unknown, which is not the same as zero. In
        NDJSON every line is an object with the same names.
      </p>
      <dl class="column-list">
        {COLUMNS.map(([name, what]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
