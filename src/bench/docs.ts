/** `docs/performance.md` and its plot, from a report: what stands between the marks is written anew, the rest is left. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserInputError } from '../errors.ts';
import { type BenchReport, medianOf, type Pair } from './report.ts';
import { markdown, tablesOf } from './table.ts';

const BEGIN = '<!-- figures: begin (written by switchboard bench --write-docs) -->';
const END = '<!-- figures: end -->';
const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 24, top: 40, bottom: 52 };

/** Throws a UserInputError when the folder has no such page. */
export function writeDocs(folder: string, report: BenchReport): void {
  const file = join(folder, 'performance.md');
  const page = readPage(file);
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new UserInputError(`${file} has no marks for the figures.`);
  writeFileSync(file, `${before}${BEGIN}\n${figures(report)}\n${END}${after}`);
  writeFileSync(join(folder, 'performance.svg'), plot(report));
}

function readPage(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UserInputError(`${file} cannot be read: run this in the folder of the repository.`, { cause });
  }
}

function figures(report: BenchReport): string {
  const { machine, takenAt, seconds } = report;
  const pinned = machine.pinned ? 'world and server pinned to a core each' : 'not pinned';
  return [
    '',
    `Measured on ${takenAt.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node.js ${machine.node}; ${pinned}; windows of ${seconds} s.`,
    '',
    '![CPU time of the server against calls](performance.svg)',
    '',
    ...tablesOf(report).map(markdown),
  ].join('\n');
}

/** Percent of one core against calls, for the product and the floor. */
export function plot(report: BenchReport): string {
  const loads = [report.pairs, ...report.curve.map((pair) => [pair])].filter((pairs) => pairs.length > 0);
  const points = (side: 'floor' | 'product') =>
    loads
      .map((pairs) => ({ calls: pairs[0]?.calls ?? 0, core: medianOf(pairs, (pair: Pair) => pair[side].serverCore) }))
      .sort((a, b) => a.calls - b.calls);
  const series = [
    { name: 'Switchboard', color: '#1f6feb', points: points('product') },
    { name: 'floor: a bare relay', color: '#8b949e', points: points('floor') },
  ];
  const all = series.flatMap((one) => one.points);
  const mostCalls = Math.max(1, ...all.map((point) => point.calls));
  const mostCore = Math.max(0.1, Math.ceil(Math.max(...all.map((point) => point.core)) * 10) / 10);
  const x = (calls: number) => MARGIN.left + (calls / mostCalls) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (core: number) => HEIGHT - MARGIN.bottom - (core / mostCore) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (value: number) => value.toFixed(1);
  const text = (left: number, top: number, words: string, anchor = 'middle', color = '#57606a') =>
    `<text x="${at(left)}" y="${at(top)}" text-anchor="${anchor}" fill="${color}">${words}</text>`;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const core = share * mostCore;
    const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(y(core))}" y2="${at(y(core))}" stroke="#d0d7de"/>`;
    return line + text(MARGIN.left - 8, y(core) + 4, `${(core * 100).toFixed(0)} %`, 'end');
  });
  const curves = series.map(({ name, color, points }, index) => {
    const path = points.map((point) => `${at(x(point.calls))},${at(y(point.core))}`).join(' ');
    const dots = points.map((p) => `<circle cx="${at(x(p.calls))}" cy="${at(y(p.core))}" r="4" fill="${color}"/>`);
    const legend = text(MARGIN.left + 8, MARGIN.top + 16 + 18 * index, `● ${name}`, 'start', color);
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}${legend}`;
  });
  const ticks = (series[0]?.points ?? []).map((p) => text(x(p.calls), HEIGHT - MARGIN.bottom + 20, String(p.calls)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<title>CPU time of the server against calls</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(
      WIDTH / 2,
      22,
      `CPU time of the server, share of one core (${escapeXml(report.machine.cpu)})`,
      'middle',
      '#24292f',
    ),
    ...grid,
    ...ticks,
    text(WIDTH / 2, HEIGHT - 12, 'calls at the same time'),
    ...curves,
    '</svg>',
    '',
  ].join('\n');
}

function escapeXml(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
