import { useState } from 'preact/hooks'
import { sendVerificationEmail } from '../../api/auth.ts'
import { asApiError } from '../../api/http.ts'
import { useToast } from '../../state/toasts.tsx'
import { failureSentence } from '../auth/form-words.ts'

/** Sends the link once more by which an address is confirmed, and says so. */
export function useSendVerification(email: string): { busy: boolean; send: () => Promise<void> } {
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const send = async () => {
    if (busy) return
    setBusy(true)
    try {
      await sendVerificationEmail(email)
      toast({ message: `A link was sent to ${email}.` })
    } catch (error) {
      toast({ message: failureSentence(asApiError(error)), tone: 'bad' })
    } finally {
      setBusy(false)
    }
  }
  return { busy, send }
}
