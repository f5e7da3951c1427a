import { useEffect, useRef, useState } from 'preact/hooks'
import { CheckIcon, CopyIcon } from './icons.tsx'

/** Something that is shown this once, ready to be copied. */
export function ShownOnce({ name, value }: { name: string; value: string }) {
  const [copied, setCopied] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.select(), [])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value)
      setCopied(true)
    } catch {
      // Not allowed here: the selected text can be copied by hand.
      field.current?.select()
    }
  }
  return (
    <>
      <div class="new-key">
        <input ref={field} class="input" type="text" readOnly value={value} aria-label={name} />
        <button type="button" class="button" onClick={() => void copy()}>
          {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />} {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p class="visually-hidden" role="status">
        {copied ? `${name} was copied.` : ''}
      </p>
    </>
  )
}
