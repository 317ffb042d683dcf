import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsPage } from '../../scripts/metrics-page.ts';
import { createMetrics } from '../../src/http/metrics.ts';

const text = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

it('docs/metrics.md says what the registry says; npm run docs writes it anew', async () => {
  expect(text('metrics.md')).toBe(await metricsPage());
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('docs/grafana.json', () => {
  const { panels } = JSON.parse(text('grafana.json')) as { panels: readonly Panel[] };
  const targets = panels.flatMap((panel) => panel.targets ?? []);
  const named = (expr: string): readonly string[] =>
    [...expr.matchAll(/\b(?:switchboard|process|nodejs)_\w+/g)].map(([name]) => name);

  async function exported() {
    const metrics = createMetrics({ simulated: false });
    const [described, exposition] = [await metrics.describe(), await metrics.text()];
    metrics.close();
    const series = new Set([...exposition.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name ?? ''));
    return { described, series };
  }

  it('shows no metric that is not exported, and every one of ours', async () => {
    const { described, series } = await exported();
    const used = targets.flatMap(({ expr }) => named(expr));
    expect(used.filter((name) => !series.has(name))).toEqual([]);
    const shown = new Set(used.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    expect(described.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('groups and selects by labels that the metrics have, with values that they can have', async () => {
    const { described } = await exported();
    const faults = targets.flatMap(({ expr, legendFormat }) => {
      const labels = named(expr).map((name) =>
        described.find((one) => one.name === name.replace(/_(bucket|sum|count)$/, '')),
      );
      const known = new Set(['le', 'instance', ...labels.flatMap((one) => Object.keys(one?.labels ?? {}))]);
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names]) => (names ?? '').split(/, */));
      const selected = [...expr.matchAll(/(\w+)="([^"]*)"/g)];
      const legends = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? '');
      const values = selected.filter(
        ([, label = '', value = '']) => !labels.some((one) => one?.labels[label]?.includes(value)),
      );
      return [...grouped, ...legends].filter((label) => !known.has(label)).concat(values.map(([pair]) => pair));
    });
    expect(faults).toEqual([]);
  });

  it('has panels with ids of their own that do not lie on each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
