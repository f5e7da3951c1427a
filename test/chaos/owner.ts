import { z } from 'zod'
import type { Platforms } from '../../scripts/local/platforms/index.ts'
import { typedName } from '../../scripts/local/platforms/typed.ts'
import type { Account as Person } from '../../scripts/local/platforms/types.ts'
import { PLATFORM_FACTS } from '../../src/domain/platforms.ts'
import type { TestStack } from '../harness/stack.ts'
import { patiently } from './patience.ts'

const Begun = z.object({ id: z.string(), url: z.string() })
const Ticket = z.object({ url: z.string() })

/** An answer that is none of those that were hoped for. */
class RefusedError extends Error {
  readonly status: number

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text.slice(0, 300)}`)
    this.status = status
  }
}

/** The person who owns the workspace, in a browser: signs in, connects accounts, and asks for tickets. */
export class Owner {
  readonly #stack: TestStack
  #cookie = ''

  constructor(stack: TestStack) {
    this.#stack = stack
  }

  async signIn(): Promise<void> {
    const { email, password } = this.#stack
    const response = await this.#send('POST', '/auth/sign-in/email', { email, password })
    await response.body?.cancel()
    this.#cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
  }

  /** Connects somebody by their name or, where the platform wants that, by signing in there. */
  async connect(person: Person, platforms: Platforms): Promise<void> {
    if (PLATFORM_FACTS[person.platform].connects === 'oauth') return this.agree(person)
    const { platform, handle } = person
    await this.#make('/api/v1/accounts', {
      platform,
      handle: typedName(platform, handle, platforms.mastodon.host),
    })
  }

  /**
   * Signs in at the platform as somebody, and lets their account be read.
   * @param accountId the account that is connected already and is to be read again
   */
  async agree(person: Person, accountId?: string): Promise<void> {
    await patiently(async () => {
      const { platform } = person
      const begun = await this.#make('/api/v1/accounts/authorizations', {
        platform,
        ...(accountId !== undefined && { accountId }),
      })
      const { id, url } = Begun.parse(begun)
      const agreeing = new URL(url)
      agreeing.searchParams.set('approve', person.id)
      const agreed = await fetch(agreeing, { redirect: 'manual' })
      const back = new URL(agreed.headers.get('location') ?? '', agreeing)
      const returned = await this.#send('GET', back.pathname + back.search)
      await returned.body?.cancel()
      await this.#make(`/api/v1/accounts/authorizations/${id}/connect`, { externalIds: [person.id] })
    })
  }

  /** A ticket for a live connection. @throws with a `status`, as the live client wants it */
  async ticket(): Promise<{ url: string }> {
    return Ticket.parse(await this.#make('/api/v1/realtime/tickets', {}))
  }

  async #make(path: string, body: object): Promise<unknown> {
    return (await this.#send('POST', path, body)).json()
  }

  async #send(method: 'GET' | 'POST', path: string, body?: object): Promise<Response> {
    const { url } = this.#stack
    const response = await fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: { cookie: this.#cookie, origin: url, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    if (response.status >= 400) throw new RefusedError(path, response.status, await response.text())
    return response
  }
}
