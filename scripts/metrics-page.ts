import { createMetrics, type MetricDescription } from '../src/http/metrics.ts';

const HEADER = `# Metrics

<!-- Generated from src/http/metrics.ts by scripts/metrics-table.ts (\`npm run docs\`). Do not edit. -->

\`GET /metrics\` on the private listener, in the text format of Prometheus. \`switchboard serve\` starts that listener, and so does
\`--http\` (or \`PRIVATE_LISTENER=true\`) beside an MCP client; without it nothing is counted. It listens at \`MCP_HOST\`:\`MCP_PORT\`,
by default 127.0.0.1:8787, and on another address than loopback only with \`MCP_AUTH_TOKEN\`:

\`\`\`yaml
scrape_configs:
  - job_name: switchboard
    authorization: { credentials_file: /etc/prometheus/switchboard-token } # only where MCP_AUTH_TOKEN is set
    static_configs: [{ targets: ['127.0.0.1:8787'] }]
\`\`\`

[grafana.json](grafana.json) is a dashboard that shows all of them: import it and choose the data source. No label carries a
telephone number, an id, or anything that came from outside. Counters begin at 0 when the process starts. The figures of Node and the
process (\`process_*\`, \`nodejs_*\`) come along. The percentiles of the event loop's delay are of the time since the scrape before, so one
Prometheus should scrape, not several.
`;

/** The text of `docs/metrics.md`, from the registry itself. */
export async function metricsPage(): Promise<string> {
  const metrics = createMetrics({ simulated: false, processFigures: false });
  const described = await metrics.describe();
  metrics.close();
  const rows = described
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((metric) => `| \`${metric.name}\` | ${metric.type} | ${labelsOf(metric)} | ${metric.help} |`);
  const table = ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows];
  const buckets = described
    .filter((metric) => metric.buckets.length > 0)
    .map((metric) => `- \`${metric.name}\`: ${metric.buckets.join(', ')}`);
  return `${HEADER}\n${table.join('\n')}\n\n## Buckets, in seconds\n\n${buckets.join('\n')}\n`;
}

function labelsOf({ labels }: MetricDescription): string {
  const texts = Object.entries(labels).map(
    ([label, values]) => `\`${label}\`: ${values.map((value) => `\`${value}\``).join(', ')}`,
  );
  return texts.join('; ');
}
