import type { Page } from 'playwright-core'

/** What must have a name, as the browser itself tells it to assistive technology. */
const NAMED_ROLES = [
  'button',
  'checkbox',
  'combobox',
  'dialog',
  'image',
  'link',
  'radio',
  'region',
  'searchbox',
  'textbox',
]

interface AccessibleNode {
  role: string
  name: string
}

/** What is wrong with a page for those who do not see it, and for those who do not see it well. */
export async function auditPage(page: Page): Promise<string[]> {
  const nodes = await accessibleNodes(page)
  const having = (role: string) => nodes.filter((node) => node.role === role)
  return [
    ...nodes
      .filter(({ role, name }) => NAMED_ROLES.includes(role) && name.trim() === '')
      .map(({ role }) => `a ${role} without a name`),
    ...['main', 'banner'].filter((role) => having(role).length !== 1).map((role) => `not one ${role}`),
    ...(await page.evaluate(auditDocument)),
    ...(await page.evaluate(faintTexts)),
  ]
}

async function accessibleNodes(page: Page): Promise<AccessibleNode[]> {
  const session = await page.context().newCDPSession(page)
  const { nodes } = await session.send('Accessibility.getFullAXTree')
  await session.detach()
  return nodes
    .filter((node) => !node.ignored)
    .map((node) => ({
      role: String(node.role?.value),
      name: String(node.name?.value ?? ''),
    }))
}

/** Runs in the page. */
function auditDocument(): string[] {
  const wrong: string[] = []
  if (document.documentElement.lang === '') wrong.push('no language')
  if (document.title.trim() === '') wrong.push('no title')
  const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(({ tagName }) =>
    Number(tagName[1]),
  )
  if (levels.filter((level) => level === 1).length !== 1) wrong.push(`not one main heading: ${levels}`)
  if (levels.some((level, i) => level > (levels[i - 1] ?? 0) + 1))
    wrong.push(`headings skip a level: ${levels}`)
  for (const image of document.images) if (!image.hasAttribute('alt')) wrong.push(`no alt: ${image.src}`)
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push(`two have the id ${id}`)
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls'])
    for (const element of document.querySelectorAll(`[${name}]`))
      for (const id of (element.getAttribute(name) ?? '').split(' '))
        if (document.getElementById(id) === null) wrong.push(`${name} names ${id}, which is not there`)
  return wrong
}

/** Runs in the page. Texts with less contrast than WCAG's level AA asks for. */
function faintTexts(): string[] {
  type Colour = [red: number, green: number, blue: number, alpha: number]
  const parse = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number)
    return [red, green, blue, alpha]
  }
  const over = (top: Colour, below: Colour): Colour => {
    const mix = (i: 0 | 1 | 2) => top[i] * top[3] + below[i] * (1 - top[3])
    return [mix(0), mix(1), mix(2), 1]
  }
  const luminance = ([red, green, blue]: Colour) => {
    const linear = (value: number) =>
      value <= 10.31 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }
  /** `null` where a picture lies behind, which this does not judge. */
  const backgroundOf = (element: Element | null): Colour | null => {
    if (element === null) return [255, 255, 255, 1]
    const { backgroundColor, backgroundImage } = getComputedStyle(element)
    if (backgroundImage !== 'none') return null
    const own = parse(backgroundColor)
    if (own[3] === 1) return own
    const below = backgroundOf(element.parentElement)
    return below && over(own, below)
  }
  const found = new Set<string>()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement
    const text = node.textContent?.trim() ?? ''
    if (element === null || text === '' || element.closest('noscript, option, .visually-hidden') !== null)
      continue
    if (element.closest(':disabled, [aria-disabled=true]') !== null || !element.checkVisibility()) continue
    const background = backgroundOf(element)
    if (background === null) continue
    const style = getComputedStyle(element)
    const size = Number.parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    const [light, dark] = [luminance(over(parse(style.color), background)), luminance(background)].sort(
      (a, b) => b - a,
    )
    const ratio = ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
    if (ratio < (isLarge ? 3 : 4.5)) found.add(`faint (${ratio.toFixed(2)}): ${text.slice(0, 60)}`)
  }
  return [...found]
}
