import { z } from 'zod'
import { stack } from '../../support/stack.ts'
import { until } from '../../support/wait.ts'

const Mailbox = z.object({ mails: z.array(z.object({ subject: z.string(), text: z.string() })) })

/** The link in the newest mail to an address whose subject says this; waits until there is one. */
export function mailedLink(to: string, subject: RegExp): Promise<string> {
  return until(`a mail to ${to} about ${subject}`, async () => {
    const response = await fetch(`${stack.mailUrl}/mails.json?${new URLSearchParams({ to })}`)
    const { mails } = Mailbox.parse(await response.json())
    return mails.find((mail) => subject.test(mail.subject))?.text.match(/https?:\/\/\S+#\S+/)?.[0] ?? null
  })
}
