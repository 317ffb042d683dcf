import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import { ASTERISK_TOOLS } from '../../src/mcp/tools/asterisk/catalogue.ts';
import { ACCOUNT_RIGHTS, AGENT_DIAL_PLAN, AUDIOSOCKET_DIAL_PLAN } from '../../src/simulator/asterisk/configuration.ts';

const PAGE = readFileSync(new URL('../../docs/asterisk.md', import.meta.url), 'utf8');
/** As they stand in the numbered list. */
const indented = (text: string): string => text.replace(/^(?=.)/gm, '   ');

describe('docs/asterisk.md', () => {
  it('has the dial plan and the account with which the tests run a real Asterisk', () => {
    expect(PAGE).toContain(indented(AGENT_DIAL_PLAN.trim()));
    expect(PAGE).toContain(AUDIOSOCKET_DIAL_PLAN.trim());
    expect(PAGE).toContain(`read = ${ACCOUNT_RIGHTS.read}`);
    expect(PAGE).toContain(`write = ${ACCOUNT_RIGHTS.write}`);
    expect(PAGE).toContain(`ws://127.0.0.1:3004${MEDIA_PATH}`);
  });

  it('names every setting, as it is spelt, with its default', () => {
    const names = Object.values(SETTINGS).map(({ name }) => name as string);
    for (const name of names.filter((one) => /^(AMI|ASTERISK|CDR|INBOUND)_/.test(one)))
      expect(PAGE).toContain(`\`${name}\``);
    for (const [, name = ''] of PAGE.matchAll(/`((?:AMI|ASTERISK|CDR)_[A-Z_]+)[`=]/g)) expect(names).toContain(name);
    expect(PAGE).toContain(`${ASTERISK_TOOLS.length} of them`);
  });

  it('leads to places that are there', () => {
    const anchors = [...PAGE.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(':', '').replaceAll(' ', '-'),
    );
    for (const [, anchor = ''] of PAGE.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});
