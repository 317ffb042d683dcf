import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/schema.ts';
import { THREECX_RESOURCES } from '../../src/mcp/resources/threecx.ts';
import { THREECX_TOOLS } from '../../src/mcp/tools/threecx/catalogue.ts';
import { VOIPMS_TOOLS } from '../../src/mcp/tools/voipms/catalogue.ts';

const pageOf = (name: string): string => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const SOURCES = fileURLToPath(new URL('../../src/{pbx,carriers}/**/*.ts', import.meta.url));
const NAMES = Object.values(SETTINGS).map(({ name }) => name as string);

describe.each([
  ['3cx', /^(PBX|INBOUND)_/, THREECX_TOOLS],
  ['voipms', /^VOIPMS_/, VOIPMS_TOOLS],
] as const)('docs/%s.md', (system, own, tools) => {
  const page = pageOf(system);

  it('names every setting, as it is spelt', () => {
    for (const name of NAMES.filter((one) => own.test(one))) expect(page).toContain(`\`${name}\``);
    for (const [, name = ''] of page.matchAll(/`((?:PBX|VOIPMS|INBOUND)_[A-Z_]+)[`=]/g)) expect(NAMES).toContain(name);
  });

  it('tells of every tool', () => {
    for (const { name } of tools) expect(page).toContain(`\`${name}\``);
    for (const [, name = ''] of page.matchAll(/`((?:threecx|voipms)_[a-z_]+)`/g))
      expect([...THREECX_TOOLS, ...VOIPMS_TOOLS].map((tool) => tool.name)).toContain(name);
  });

  it('quotes what the program says as it says it', () => {
    const sources = globSync(SOURCES)
      .map((file) => readFileSync(file, 'utf8'))
      .join();
    const [, table = ''] = page.split('| it says | do this |');
    const quotes = [...table.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
    expect(quotes.length).toBeGreaterThan(5);
    for (const [, quote = ''] of quotes)
      for (const part of quote.split('…').map((one) => one.trim())) expect(sources.includes(part), part).toBe(true);
  });

  it('leads to places that are there', () => {
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(/[:,]/g, '').replaceAll(' ', '-'),
    );
    for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});

it('docs/3cx.md tells of every resource', () => {
  for (const { uri } of THREECX_RESOURCES) expect(pageOf('3cx')).toContain(`\`${uri}\``);
});
