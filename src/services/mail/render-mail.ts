import { escapeHtml } from '../../lib/escape-html.ts'

/** What a mail says, apart from who gets it. Every text may hold what strangers have written. */
export interface MailParts {
  heading: string
  paragraphs: string[]
  /** What the reader is to do. */
  action?: { label: string; url: string }
  /** Set apart at the end: why the mail came, and what to do if it was not expected. */
  footnote: string
}

/** Invisible characters that turn the direction of the text around them, and so what it seems to say. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const SPACES_AND_CONTROLS = /[\s\p{Cc}\p{Zl}\p{Zp}]+/gu

/** A text as one line: nothing in it can begin a new paragraph, or a new header. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(DIRECTION_MARKS, '').replace(SPACES_AND_CONTROLS, ' ').trim()
}

/**
 * A mail as text and as HTML, saying the same. The HTML names no colours but the button's, so that it is
 * readable on whatever background a mail program has; it loads nothing.
 */
export function renderMail(parts: MailParts): { text: string; html: string } {
  const heading = oneLine(parts.heading)
  const paragraphs = parts.paragraphs.map(oneLine)
  const footnote = oneLine(parts.footnote)
  const action = parts.action && { label: oneLine(parts.action.label), url: oneLine(parts.action.url) }
  return {
    text: asText([heading, ...paragraphs, ...(action ? [`${action.label}:\n${action.url}`] : [])], footnote),
    html: asHtml(
      heading,
      [...paragraphs.map(paragraph), ...(action ? [button(action), address(action.url)] : [])],
      footnote,
    ),
  }
}

function asText(blocks: string[], footnote: string): string {
  // `-- ` begins a signature (RFC 3676), which mail programs set apart.
  return `${[...blocks, `-- \n${footnote}`].join('\n\n')}\n`
}

function asHtml(heading: string, blocks: string[], footnote: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(heading)}</title>
</head>
<body style="margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
<main style="max-width:34em;margin:0 auto;overflow-wrap:anywhere">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">${escapeHtml(heading)}</h1>
${blocks.join('\n')}
<hr style="margin:32px 0 16px;border:0;border-top:1px solid #888">
<p style="margin:0;font-size:14px">${escapeHtml(footnote)}</p>
</main>
</body>
</html>
`
}

function paragraph(text: string): string {
  return `<p style="margin:0 0 16px">${escapeHtml(text)}</p>`
}

/** The border keeps its shape visible where backgrounds are not shown. */
function button({ label, url }: { label: string; url: string }): string {
  const style = [
    'display:inline-block',
    'padding:12px 20px',
    'border:1px solid #0a6a74',
    'border-radius:6px',
    'background:#0a6a74',
    'color:#ffffff',
    'font-weight:600',
    'text-decoration:none',
  ].join(';')
  return `<p style="margin:24px 0"><a href="${escapeHtml(url)}" style="${style}">${escapeHtml(label)}</a></p>`
}

/** For where the button does not show, or is not to be trusted. */
function address(url: string): string {
  const escaped = escapeHtml(url)
  return `<p style="margin:0 0 16px">Or open this address:<br><a href="${escaped}">${escaped}</a></p>`
}
