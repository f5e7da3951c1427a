import type { DatabaseReport } from '../../../../src/http/wire.ts'
import { formatDuration } from '../../format/dates.ts'
import { formatBytes, formatCount } from '../../format/numbers.ts'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'

function Facts({ report }: { report: DatabaseReport }) {
  const { sizeBytes, connections, maxConnections, oldestTransactionSeconds } = report
  return (
    <dl class="post-figures report-figures">
      <div>
        <dt>Size</dt>
        <dd>{formatBytes(sizeBytes)}</dd>
      </div>
      <div>
        <dt>Connections</dt>
        <dd>
          {formatCount(connections)} <span class="quiet small">of {formatCount(maxConnections)}</span>
        </dd>
      </div>
      <div>
        <dt>Longest transaction</dt>
        <dd>{oldestTransactionSeconds === null ? 'none' : formatDuration(oldestTransactionSeconds)}</dd>
      </div>
    </dl>
  )
}

function rows(estimated: number | null): string {
  return estimated === null ? 'not known' : formatCount(estimated)
}

/** How big the database is, and how busy. */
export function DatabaseReportView({ report }: { report: DatabaseReport }) {
  return (
    <>
      <Facts report={report} />
      <h3>Biggest tables</h3>
      <ScrollRegion label="Biggest tables">
        <table class="table">
          <TableHead
            columns={[
              'Table',
              { label: 'Rows, about', number: true },
              { label: 'Size', number: true },
              { label: 'of it indexes', number: true },
              { label: 'Partitions', number: true },
            ]}
          />
          <tbody>
            {report.tables.map((table) => (
              <tr key={table.name}>
                <th scope="row">
                  <code>{table.name}</code>
                </th>
                <td class="number">{rows(table.estimatedRows)}</td>
                <td class="number">{formatBytes(table.totalBytes)}</td>
                <td class="number">{formatBytes(table.indexBytes)}</td>
                <td class="number">{table.partitions === 0 ? '–' : formatCount(table.partitions)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {report.partitions.length > 0 && (
        <details class="earlier">
          <summary>Partitions ({report.partitions.length})</summary>
          <ScrollRegion label="Partitions">
            <table class="table">
              <TableHead
                columns={[
                  'Partition',
                  'Holds',
                  { label: 'Rows, about', number: true },
                  { label: 'Size', number: true },
                ]}
              />
              <tbody>
                {report.partitions.map((partition) => (
                  <tr key={partition.name}>
                    <th scope="row">
                      <code>{partition.name}</code>
                    </th>
                    <td class="quiet small">{partition.bounds}</td>
                    <td class="number">{rows(partition.estimatedRows)}</td>
                    <td class="number">{formatBytes(partition.totalBytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        </details>
      )}
    </>
  )
}
