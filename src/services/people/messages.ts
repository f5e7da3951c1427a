import type { Message } from '../mail/messages.ts'
import { renderMail } from '../mail/render-mail.ts'

/** For somebody who has an account, when their address is signed up with once more. */
export function existingPersonMail(url: string): Message {
  return {
    subject: 'You have a Tidemark account already',
    ...renderMail({
      heading: 'You have an account already',
      paragraphs: [
        'Hello,',
        'Somebody, hopefully you, has tried to make a Tidemark account with this address. There is one, and it is as it was.',
        'Sign in with your password. If you have forgotten it, ask for a new one there.',
      ],
      action: { label: 'Sign in', url },
      footnote: 'If it was not you, do nothing: nobody has got in.',
    }),
  }
}
