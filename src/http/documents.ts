import { Hono } from 'hono'
import { html, raw } from 'hono/html'
import { ERROR_CODES } from '../errors.ts'
import type { HttpEnv } from './context.ts'
import { PROBLEMS } from './problem.ts'

/** Pages for people: the API's documentation, made from its OpenAPI document, and what each problem means. */

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 8px; margin: 0.5rem 0; padding: 0.5rem 0.75rem; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; text-transform: uppercase; }
.scroll { overflow-x: auto; }`

function pageOf(title: string, body: unknown) {
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title} · Tidemark</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/docs/style.css"></head>
<body><main>${body}</main></body></html>`
}

interface Operation {
  summary?: string
  description?: string
  tags?: string[]
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown; description?: string }[]
  requestBody?: { content?: Record<string, { schema?: unknown }> }
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>
}

export interface OpenApiDocument {
  info: { title: string; version: string; description?: string }
  paths?: Record<string, Record<string, Operation>>
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

function describe(operation: Operation) {
  const { parameters = [], requestBody, responses = {} } = operation
  const schemas = [
    ...Object.entries(requestBody?.content ?? {}).map(
      ([type, { schema }]) => [`Body (${type})`, schema] as const,
    ),
    ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Number(status) < 300
        ? Object.values(content).map(({ schema }) => [`Answer ${status}`, schema] as const)
        : [],
    ),
  ]
  return html`${operation.description ? html`<p>${operation.description}</p>` : ''}
${
  parameters.length === 0
    ? ''
    : html`<div class="scroll"><table><tr><th>Parameter</th><th>In</th><th>Schema</th></tr>
${parameters.map((p) => html`<tr><td><code>${p.name}</code>${p.required ? ' (required)' : ''}</td><td>${p.in}</td><td><code>${JSON.stringify(p.schema)}</code></td></tr>`)}</table></div>`
}
${schemas.map(([title, schema]) => html`<p>${title}</p><pre class="scroll">${JSON.stringify(schema, null, 2)}</pre>`)}
<p>Answers: ${Object.entries(responses).map(([status, { description }]) => html`<code>${status}</code> ${description} `)}</p>`
}

function documentationPage(document: OpenApiDocument) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ path, method, operation, tag: operation.tags?.[0] ?? 'Other' }]
    }),
  )
  const groups = [...Map.groupBy(operations, (o) => o.tag)]
  return pageOf(
    'API',
    html`<h1>${document.info.title}</h1><p>${document.info.description ?? ''}</p>
<p>Send <code>Authorization: Bearer tm_…</code>, or the session cookie. The machine-readable document is at
<a href="/openapi.json"><code>/openapi.json</code></a> (OpenAPI 3.1). Errors are
<code>application/problem+json</code>; each kind has <a href="/problems">a page</a>.</p>
<nav aria-label="Sections">${groups.map(([tag]) => html`<a href="#${tag}">${tag}</a> `)}</nav>
${groups.map(
  ([tag, items]) => html`<h2 id="${tag}">${tag}</h2>
${items.map(({ path, method, operation }) => html`<details><summary><code class="method">${method}</code> <code>${path}</code> ${operation.summary ?? ''}</summary>${describe(operation)}</details>`)}`,
)}`,
  )
}

/** Of pages: their one style sheet, and the icon that browsers look for. Nothing runs in them. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
/** They change with a deployment, and hold nothing of anybody. */
const PAGE_HEADERS = { 'content-security-policy': PAGE_POLICY, 'cache-control': 'public, max-age=300' }

/** Routes of the documents, given the API's own description. */
export function createDocumentRoutes(describeApi: () => OpenApiDocument) {
  // Anybody may ask for them, and they are the same until the next deployment.
  let known: { api: string; page: ReturnType<typeof documentationPage> } | null = null
  const made = () => {
    if (known === null) {
      const described = describeApi()
      known = { api: JSON.stringify(described), page: documentationPage(described) }
    }
    return known
  }
  return new Hono<HttpEnv>()
    .get('/openapi.json', (c) =>
      c.body(made().api, 200, {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
      }),
    )
    .get('/docs', (c) => c.html(made().page, 200, PAGE_HEADERS))
    .get('/docs/style.css', (c) =>
      c.body(STYLE, 200, { 'content-type': 'text/css', 'cache-control': 'public, max-age=3600' }),
    )
    .get('/problems', (c) =>
      c.html(
        pageOf(
          'Problems',
          html`<h1>Problems</h1><ul>${ERROR_CODES.map((code) => html`<li><a href="/problems/${code}"><code>${code}</code></a> ${PROBLEMS[code].title}</li>`)}</ul>`,
        ),
        200,
        PAGE_HEADERS,
      ),
    )
    .get('/problems/:code', (c) => {
      const code = ERROR_CODES.find((known) => known === c.req.param('code'))
      if (code === undefined) return c.notFound()
      const { status, title } = PROBLEMS[code]
      return c.html(
        pageOf(
          title,
          html`<h1>${title}</h1><p>Code <code>${code}</code>, answered with status ${raw(String(status))}.</p>
<p>The answer's <code>detail</code> says what happened in this case, <code>errors</code> names the fields that are wrong, and
<code>requestId</code> finds it in the logs. ${status === 429 || status === 503 ? html`Try again after the seconds that <code>Retry-After</code> names.` : ''}</p>
<p><a href="/problems">All problems</a></p>`,
        ),
        200,
        PAGE_HEADERS,
      )
    })
}
