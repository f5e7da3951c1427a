import { MAX_IMPORT_BYTES } from '../../api/upload.ts'
import { formatBytes } from '../../format/numbers.ts'
import { useCanWrite } from '../../state/session.tsx'
import { Page } from '../../ui/page.tsx'
import { EmptyState } from '../../ui/states.tsx'
import { ColumnsHelp } from './columns-help.tsx'
import { ImportReportPanel } from './import-report.tsx'
import { RecentImports } from './recent-imports.tsx'
import { UploadForm } from './upload-form.tsx'

/** Posts out of files: for platforms that cannot be connected, and for the time before. */
export function ImportsPage({ id }: { id: string | null }) {
  const canWrite = useCanWrite()
  return (
    <Page
      title="Imports"
      lead={`Posts and their figures from files: CSV or NDJSON, up to ${formatBytes(MAX_IMPORT_BYTES)}. The same file twice changes nothing.`}
    >
      {id !== null && <ImportReportPanel id={id} />}
      <div class="columns">
        <section class="panel" aria-labelledby="import-heading">
          <header class="panel-head">
            <h2 id="import-heading">{id === null ? 'Import a file' : 'Import another file'}</h2>
          </header>
          {canWrite ? <UploadForm /> : <EmptyState title="Your role does not allow imports." />}
        </section>
        <ColumnsHelp />
      </div>
      <RecentImports current={id} />
    </Page>
  )
}
