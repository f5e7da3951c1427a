import { useEffect, useRef, useState } from 'preact/hooks'
import { PLATFORMS } from '../../../../src/domain/platforms.ts'
import { type ApiError, asApiError, isAbort } from '../../api/http.ts'
import { formatOfFile, refuseFile, uploadImport } from '../../api/upload.ts'
import { formatBytes, formatRateTick } from '../../format/numbers.ts'
import { navigate } from '../../state/router.tsx'
import { Field } from '../../ui/field.tsx'
import { FileIcon, ImportIcon } from '../../ui/icons.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { SelectField } from '../../ui/select-field.tsx'
import { FieldErrors } from '../../ui/states.tsx'

function DropZone({ file, choose }: { file: File | null; choose: (file: File) => void }) {
  const [over, setOver] = useState(false)
  return (
    <label
      class={`drop-zone ${over ? 'is-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const dropped = event.dataTransfer?.files[0]
        if (dropped) choose(dropped)
      }}
    >
      <input
        class="visually-hidden"
        type="file"
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0]
          if (chosen) choose(chosen)
        }}
      />
      {file === null ? (
        <>
          <ImportIcon size={28} />
          <span>
            <strong>Choose a file</strong> or drop it here
          </span>
        </>
      ) : (
        <>
          <FileIcon size={28} />
          <span class="ellipsis">
            <strong>{file.name}</strong> <span class="quiet">{formatBytes(file.size)}</span>
          </span>
          <span class="quiet small">Choose another one</span>
        </>
      )}
    </label>
  )
}

/** Chooses a file, says whose posts it holds, and sends it. */
export function UploadForm() {
  const [file, setFile] = useState<File | null>(null)
  const [platform, setPlatform] = useState<string>('instagram')
  const [handle, setHandle] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [progress, setProgress] = useState<number | null>(null)
  const controller = useRef<AbortController | null>(null)
  useEffect(() => () => controller.current?.abort(), [])

  const choose = (chosen: File) => {
    const refusal = refuseFile(chosen)
    setProblem(refusal)
    setError(null)
    setFile(refusal === null ? chosen : null)
  }

  const submit = async (event: Event) => {
    event.preventDefault()
    if (progress !== null) return
    const format = file === null ? null : formatOfFile(file.name)
    if (file === null || format === null) {
      setProblem('Choose a file first.')
      return
    }
    setError(null)
    setProgress(0)
    controller.current = new AbortController()
    const { signal } = controller.current
    try {
      const job = await uploadImport(file, {
        format,
        platform,
        handle: handle.trim(),
        onProgress: setProgress,
        signal,
      })
      navigate(`/imports/${encodeURIComponent(job.jobId)}`)
    } catch (failure) {
      if (!isAbort(failure)) setError(asApiError(failure))
    } finally {
      if (!signal.aborted) setProgress(null)
    }
  }

  return (
    <form class="upload-form" noValidate onSubmit={(event) => void submit(event)}>
      <DropZone file={file} choose={choose} />
      {problem !== null && (
        <p class="field-error" role="alert">
          {problem}
        </p>
      )}
      <SelectField
        label="Platform"
        value={platform}
        onChange={setPlatform}
        options={PLATFORMS.map((name) => ({ value: name, label: platformLabel(name) }))}
      />
      <Field
        label="Account"
        type="text"
        placeholder="handle"
        maxLength={256}
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        value={handle}
        onInput={(event) => setHandle(event.currentTarget.value)}
        hint="Whose posts these are. May be left out where the file has an account column."
      />
      {error !== null && (
        <div class="form-error" role="alert">
          <p>{error.message}</p>
          <FieldErrors error={error} />
        </div>
      )}
      {progress !== null && (
        <div class="upload-progress">
          <progress max="1" value={progress} aria-label="Upload" />
          <span class="quiet small">{formatRateTick(Math.floor(progress * 100) / 100)} sent</span>
        </div>
      )}
      <div class="dialog-actions">
        {progress !== null && (
          <button type="button" class="button" onClick={() => controller.current?.abort()}>
            Stop
          </button>
        )}
        <button type="submit" class="button button-primary" aria-disabled={progress !== null}>
          {progress === null ? 'Import' : 'Sending…'}
        </button>
      </div>
    </form>
  )
}
