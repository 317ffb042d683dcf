/** The report for people: a table on the terminal, the same in Markdown, and cost against calls as a plot. */
import { MOST_P99_MS, type OfficeReport } from './office.ts';
import { type BenchReport, delayOf, medianOf, type Pair, stolenOf, type Target, type Way } from './report.ts';
import type { SoakFigures, SoakReport } from './soak.ts';

type Row = readonly string[];

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

const WAYS: readonly (readonly [Way, string])[] = [
  ['up', 'telephone → model'],
  ['down', 'model → telephone'],
  ['clear', 'speech_started → clear'],
];

export function tablesOf(report: BenchReport): readonly Table[] {
  return [
    ...(report.pairs.length + report.curve.length > 0 ? [costTable(report), delayTable(report)] : []),
    ...(report.memory ? [memoryTable(report.memory)] : []),
    ...(report.truncation ? [truncationTable(report.truncation)] : []),
    { title: 'Targets', rows: [['', 'found', 'target', ''], ...report.targets.map(targetRow)] },
  ];
}

export function officeTable(report: OfficeReport): Table {
  const { interruptions, p50Ms, p99Ms, maxMs, manager, ok } = report;
  return {
    title: 'The office, on a real Asterisk',
    rows: [
      ['', 'found', 'floor or target', ''],
      [
        `heard, against the telephone's ear: p99 of ${interruptions} interruptions`,
        `${p99Ms.toFixed(1)} ms`,
        `${MOST_P99_MS} ms`,
        ok ? 'met' : 'MISSED',
      ],
      ['  middle and longest', `${p50Ms.toFixed(1)} and ${maxMs.toFixed(1)} ms`, '', ''],
      ...manager.map(({ name, ms, floorMs, ratio }) => [
        name,
        `${ms.toFixed(0)} ms`,
        `${floorMs.toFixed(0)} ms by a bare socket`,
        `${ratio.toFixed(2)} ×`,
      ]),
    ],
  };
}

function loads(report: BenchReport): readonly (readonly Pair[])[] {
  return [report.pairs, ...report.curve.map((pair) => [pair])]
    .filter((pairs) => pairs.length > 0)
    .sort((a, b) => (a[0]?.calls ?? 0) - (b[0]?.calls ?? 0));
}

function costTable(report: BenchReport): Table {
  const head = [
    'calls',
    'pairs',
    'floor, ms CPU a call-second',
    'Switchboard',
    'ratio',
    'of one core',
    'harness',
    'stolen at most',
  ];
  const rows = loads(report).map((pairs) => [
    String(pairs[0]?.calls),
    pairs === report.pairs && report.pairsMeasured > pairs.length
      ? `${pairs.length} of ${report.pairsMeasured}`
      : String(pairs.length),
    medianOf(pairs, (pair) => pair.floor.cpuMsPerCallSecond).toFixed(3),
    medianOf(pairs, (pair) => pair.product.cpuMsPerCallSecond).toFixed(3),
    `${medianOf(pairs, (pair) => pair.ratio).toFixed(2)} ×`,
    percent(medianOf(pairs, (pair) => pair.product.serverCore)),
    percent(medianOf(pairs, (pair) => pair.product.harnessCore)),
    `${(Math.max(...pairs.map(stolenOf)) * 100).toFixed(2)} %`,
  ]);
  return { title: 'Cost', rows: [head, ...rows] };
}

function delayTable(report: BenchReport): Table {
  const head = ['calls', 'way', 'p50, ms', 'p99, ms', 'longest, ms', 'floor p50 / p99, ms', 'added p50 / p99, ms'];
  const rows = loads(report).flatMap((pairs) =>
    WAYS.map(([way, name]) => {
      const { p50Ms, p99Ms, maxMs, floorP50Ms, floorP99Ms } = delayOf(pairs, way);
      const added = `${(p50Ms - floorP50Ms).toFixed(2)} / ${(p99Ms - floorP99Ms).toFixed(2)}`;
      const floor = `${floorP50Ms.toFixed(2)} / ${floorP99Ms.toFixed(2)}`;
      return [String(pairs[0]?.calls), name, p50Ms.toFixed(2), p99Ms.toFixed(2), maxMs.toFixed(1), floor, added];
    }),
  );
  return { title: 'Delay', rows: [head, ...rows] };
}

function memoryTable(memory: NonNullable<BenchReport['memory']>): Table {
  return {
    title: 'Memory',
    rows: [
      ['', `${memory.fromCalls} calls`, `${memory.toCalls} calls`, 'a call'],
      ['resident', mega(memory.rssBytesFrom), mega(memory.rssBytesTo), kilo(memory.rssBytesPerCall)],
      ['live objects and buffers', '', '', kilo(memory.heapBytesPerCall)],
    ],
  };
}

function truncationTable({ product, byJitter, controls, roundTripMs }: NonNullable<BenchReport['truncation']>): Table {
  return {
    title: `Truncation against the ear, ${roundTripMs} ms of round trip`,
    rows: [
      ['', 'interruptions', 'p50, ms', 'p99, ms', 'most, ms'],
      ...[product, ...byJitter, ...controls].map(({ name, interruptions, p50Ms, p99Ms, maxMs }) => [
        name,
        String(interruptions),
        p50Ms.toFixed(1),
        p99Ms.toFixed(1),
        maxMs.toFixed(1),
      ]),
    ],
  };
}

function targetRow({ name, value, limit, unit, mustMiss, ok }: Target): Row {
  const shown = (figure: number) => `${Number.isInteger(figure) ? figure : figure.toFixed(2)}${unit && ` ${unit}`}`;
  return [name, shown(value), `${mustMiss ? 'above' : '≤'} ${shown(limit)}`, ok ? 'ok' : 'MISSED'];
}

export function soakTable({ start, warm, end, callsHeld, seconds, calls }: SoakReport): Table {
  const row = (name: string, of: (figures: SoakFigures) => string): Row => [name, of(start), of(warm), of(end)];
  const kinds = [...new Set([start, warm, end].flatMap((figures) => Object.keys(figures.handles)))];
  return {
    title: `${callsHeld} calls, ${calls} at a time, for ${seconds} s`,
    rows: [
      ['with no call up', 'start', `after the first ${calls}`, 'end'],
      row('resident', (figures) => mega(figures.rssBytes)),
      row('live objects and buffers', (figures) => mega(figures.heapBytes)),
      ...kinds.map((kind) => row(kind, (figures) => String(figures.handles[kind] ?? 0))),
    ],
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
function kilo(bytes: number): string {
  return `${(bytes / 1_000).toFixed(0)} kB`;
}
function mega(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(0)} MB`;
}

export function plainText({ title, rows }: Table): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [title, ...lines.map((line) => `  ${line.trimEnd()}`), ''].join('\n');
}

export function markdown({ title, rows }: Table): string {
  const [head = [], ...body] = rows;
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [`### ${title}`, '', line(head), line(head.map(() => '---')), ...body.map(line), ''].join('\n');
}
